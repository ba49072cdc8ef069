package pipeline

import (
	"context"
	"time"

	"waypost/event"
	"waypost/eventlog"
)

// incoming reads the ledger, a little ahead of who takes its batches. It is for
// one goroutine.
type incoming struct {
	reader *eventlog.Reader // nil: closed
	ahead  []readBatch
	broken error // what comes after ahead
}

// readBatch is a batch whose lines are decoded.
type readBatch struct {
	seq   uint64
	at    time.Time
	lines []readLine
}

// readLine is one of four things.
type readLine struct {
	click    *event.Click
	told     *event.Told
	platform *event.PlatformConversion
	err      error
}

// next returns the next batch, or false at the end of the ledger.
func (in *incoming) next(ctx context.Context) (readBatch, bool, error) {
	if len(in.ahead) > 0 {
		b := in.ahead[0]
		in.ahead = in.ahead[1:]
		return b, true, nil
	}
	if in.broken != nil {
		return readBatch{}, false, in.broken
	}
	b, ok, err := in.reader.TryNext(ctx)
	if !ok || err != nil {
		return readBatch{}, false, err
	}
	return decodeBatch(b), true, nil
}

// readAhead holds about so many events ready, if they are there, while a commit
// is waited for: decoding takes half as long as writing.
func (in *incoming) readAhead(ctx context.Context, events int) {
	n := 0
	for _, b := range in.ahead {
		n += len(b.lines)
	}
	for n < events && in.broken == nil {
		b, ok, err := in.reader.TryNext(ctx)
		if err != nil {
			in.broken = err
		}
		if !ok || err != nil {
			return
		}
		read := decodeBatch(b)
		in.ahead = append(in.ahead, read)
		n += len(read.lines)
	}
}

func decodeBatch(b eventlog.Batch) readBatch {
	read := readBatch{seq: b.Seq, at: b.At}
	for line := range b.Lines() {
		read.lines = append(read.lines, decodeLine(line))
	}
	return read
}

func decodeLine(line []byte) readLine {
	switch kind := event.KindOf(line); {
	case kind.IsTold():
		t, err := event.DecodeTold(line)
		return readLine{told: &t, err: err}
	case kind == event.PlatformConversionKind:
		c, err := event.DecodePlatformConversion(line)
		return readLine{platform: &c, err: err}
	}
	c, err := event.DecodeClick(line)
	return readLine{click: &c, err: err}
}

// close forgets what was read ahead, too.
func (in *incoming) close() {
	if in.reader != nil {
		_ = in.reader.Close() // it only gives a subscription back
	}
	*in = incoming{}
}
