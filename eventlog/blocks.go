package eventlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/minio/highwayhash"
)

// JetStream cuts a block file at the first record it cannot read, and so loses
// what follows. These checks read the blocks before it does: a torn last
// record is normal after a kill, anything else is for the operator to decide.

var errDamaged = errors.New("the ledger is damaged")

const (
	damagedDir = "damaged"
	// checkBytes of the newest blocks are read at every open; all blocks
	// after an unclean stop, when JetStream reads them all anyway.
	checkBytes = 256 << 20

	// The record format of nats-server's file store, since 2.2: length 4 (top
	// bit: has headers), sequence 8 (top bits: erased, tombstone), time 8,
	// subject length 2, subject, [header length 4, header], message, hash 8.
	recordHead, recordHash = 22, 8
	headersBit             = 1 << 31
	erasedBit, tombBit     = 1 << 63, 1 << 62
	recordLimit            = 32 << 20
)

type block struct {
	path  string
	index int
	size  int64
}

// blocksIn lists the block files in their order.
func blocksIn(dir string) ([]block, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the ledger's blocks: %w", err)
	}
	var blocks []block
	for _, entry := range entries {
		number, ok := strings.CutSuffix(entry.Name(), ".blk")
		index, err := strconv.Atoi(number)
		if !ok || err != nil {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			return nil, fmt.Errorf("list the ledger's blocks: %w", err)
		}
		blocks = append(blocks, block{filepath.Join(dir, entry.Name()), index, info.Size()})
	}
	slices.SortFunc(blocks, func(a, b block) int { return a.index - b.index })
	return blocks, nil
}

// newest returns the last blocks, checkBytes of them.
func newest(blocks []block) []block {
	from := len(blocks)
	for size := int64(0); from > 0 && size < checkBytes; from-- {
		size += blocks[from-1].size
	}
	return blocks[from:]
}

func (e *embedded) blockDir() string {
	return filepath.Join(e.cfg.Dir, "jetstream", "$G", "streams", e.cfg.Stream, "msgs")
}

// sync brings the newest blocks to the disk, as the server does each second.
func (e *embedded) sync() error {
	blocks, err := blocksIn(e.blockDir())
	if err != nil {
		return err
	}
	for _, b := range newest(blocks) {
		f, err := os.OpenFile(b.path, os.O_RDWR, 0)
		if err != nil {
			return fmt.Errorf("sync a block of the ledger: %w", err)
		}
		err = f.Sync()
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return fmt.Errorf("sync a block of the ledger: %w", err)
		}
	}
	return nil
}

// checkFiles decides whether JetStream may open the files.
func (e *embedded) checkFiles(m *mark) error {
	blocks, err := blocksIn(e.blockDir())
	if err != nil {
		return err
	}
	check := blocks
	if m.clean {
		check = newest(blocks)
	}
	last, err := checkBlocks(e.cfg.Stream, check, e.keep)
	if err == nil && last < m.seq && (m.sameBoot() || m.clean || e.cfg.SyncAlways) {
		err = fmt.Errorf("%w: batches up to %d were acknowledged and only those up to %d are in the files", errDamaged, m.seq, last)
	}
	if err == nil || !errors.Is(err, errDamaged) || !e.cfg.AcceptLoss {
		return err
	}
	e.cfg.Logger.Error("opening a damaged ledger as asked", "ledger", e.cfg.Dir, "err", err)
	for _, b := range blocks {
		if _, err := checkBlocks(e.cfg.Stream, []block{b}, nil); err != nil {
			if err := e.keep(b, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// keep copies a block from an offset on to the damaged directory.
func (e *embedded) keep(b block, offset int) error {
	data, err := os.ReadFile(b.path)
	if err != nil {
		return fmt.Errorf("copy a damaged block: %w", err)
	}
	dir := filepath.Join(e.cfg.Dir, damagedDir)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("copy a damaged block: %w", err)
	}
	sum := sha256.Sum256(data[offset:])
	name := fmt.Sprintf("%d.blk-from-%d-%x", b.index, offset, sum[:4])
	if err := os.WriteFile(filepath.Join(dir, name), data[offset:], 0o640); err != nil {
		return fmt.Errorf("copy a damaged block: %w", err)
	}
	return nil
}

// checkBlocks reads blocks that follow each other and returns the last
// sequence in them. A torn tail of the last one is passed to torn; nil makes
// it damage too.
func checkBlocks(stream string, blocks []block, torn func(block, int) error) (last uint64, err error) {
	for i, b := range blocks {
		data, err := os.ReadFile(b.path)
		if err != nil {
			return last, fmt.Errorf("read a block of the ledger: %w", err)
		}
		c := newChecker(stream, b.index, last)
		bad := c.read(data)
		last = c.last
		switch {
		case c.gap != 0:
			return last, fmt.Errorf("%w: %s continues with batch %d; those before it are missing from %d on", errDamaged, b.path, c.gap, c.gapFrom)
		case bad == len(data):
		case i < len(blocks)-1 || torn == nil || c.resumes(data[bad+1:]):
			return last, fmt.Errorf("%w: %s is unreadable at byte %d, after batch %d", errDamaged, b.path, bad, last)
		default:
			if err := torn(b, bad); err != nil {
				return last, err
			}
		}
	}
	return last, nil
}

// checker reads the records of one block.
type checker struct {
	hash         hash.Hash64
	last         uint64 // newest sequence seen, in this block or before it
	gap, gapFrom uint64 // first sequence after a hole, and the hole's start
	sum          [8]byte
}

func newChecker(stream string, index int, last uint64) *checker {
	key := sha256.Sum256([]byte(stream + "-" + strconv.Itoa(index)))
	h, err := highwayhash.New64(key[:])
	if err != nil {
		panic("eventlog: " + err.Error()) // only for a key that is not 32 bytes
	}
	return &checker{hash: h, last: last}
}

// read returns the offset of the first unreadable record, or len(data).
func (c *checker) read(data []byte) int {
	at := 0
	for at < len(data) {
		n, seq, ok := c.record(data[at:])
		if !ok {
			return at
		}
		stored := seq&(erasedBit|tombBit) == 0
		seq &^= erasedBit | tombBit
		if stored && c.last != 0 && seq > c.last+1 && c.gap == 0 {
			c.gap, c.gapFrom = seq, c.last+1
		}
		c.last = max(c.last, seq)
		at += n
	}
	return at
}

// record checks the record at the start of data.
func (c *checker) record(data []byte) (n int, seq uint64, ok bool) {
	if len(data) < recordHead+recordHash {
		return 0, 0, false
	}
	head := binary.LittleEndian.Uint32(data)
	n = int(head &^ headersBit)
	if n < recordHead+recordHash || n > recordLimit || n > len(data) {
		return 0, 0, false
	}
	body, sum := data[recordHead:n-recordHash], data[n-recordHash:n]
	subject := int(binary.LittleEndian.Uint16(data[20:]))
	rest := subject
	if head&headersBit != 0 {
		rest += 4
	}
	if rest > len(body) {
		return 0, 0, false
	}
	c.hash.Reset()
	_, _ = c.hash.Write(data[4:20])
	_, _ = c.hash.Write(body[:subject])
	_, _ = c.hash.Write(body[rest:])
	return n, binary.LittleEndian.Uint64(data[4:]), bytes.Equal(c.hash.Sum(c.sum[:0]), sum)
}

// resumes reports whether a later batch can be read somewhere in data, so that
// what precedes it is no torn tail.
func (c *checker) resumes(data []byte) bool {
	for at := range data {
		if len(data)-at < recordHead+recordHash {
			return false
		}
		seq := binary.LittleEndian.Uint64(data[at+4:]) &^ (erasedBit | tombBit)
		if seq <= c.last || seq > c.last+1<<20 {
			continue
		}
		if _, _, ok := c.record(data[at:]); ok {
			return true
		}
	}
	return false
}
