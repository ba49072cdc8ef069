package smartlinks

import (
	"encoding/json"
	"fmt"
	"net/http"

	"waypost/internal/fault"
	"waypost/internal/reply"
)

// maxBatch bounds the messages of one request.
const maxBatch = 1000

// takeBatch takes messages in their order, each for itself. The sender repeats
// a request that is refused for ever, so one that cannot be read does not keep
// the others out: the answer names it and is a success. Only where none could
// be taken, or none can be kept just now, the whole is refused.
func (n *Ingest) takeBatch(r *http.Request, raw []byte, action string) (reply.Reply, error) {
	list, err := readBatch(raw)
	if err != nil {
		return reply.Reply{}, n.Intake.Refuse(err)
	}
	if len(list) == 1 {
		return n.takeOne(r, list[0], action)
	}
	taken := outcome{Success: succeeded}
	for i, one := range list {
		err := n.takeFromBatch(r, one, i, action)
		if err == nil {
			continue
		}
		if f := fault.As(err); !isSenders(f) {
			return reply.Reply{}, err
		}
		taken.Errors = append(taken.Errors, said(err))
	}
	if len(taken.Errors) == len(list) {
		taken.Success, taken.Error = failed, taken.Errors[0]
		return reply.JSON(http.StatusBadRequest, taken), nil
	}
	return reply.JSON(http.StatusOK, taken), nil
}

func readBatch(raw []byte) (list []json.RawMessage, err error) {
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fault.Bad(bodyField, fault.Malformed, "must be a JSON object, or a list of them").Because(err)
	}
	switch {
	case len(list) == 0:
		return nil, fault.Bad(bodyField, fault.Missing, "must not be an empty list")
	case len(list) > maxBatch:
		return nil, fault.Bad(bodyField, fault.TooLong, "must not be a list of more than %d", maxBatch)
	}
	return list, nil
}

func (n *Ingest) takeFromBatch(r *http.Request, raw []byte, i int, action string) error {
	place := fmt.Sprintf("[%d]", i)
	top, err := parseObject(raw)
	if err != nil {
		return n.Intake.Refuse(fault.Bad(place, fault.Malformed, "must be a JSON object").Because(err))
	}
	top.at = place + "."
	if actionOf(top, action) == actionPull {
		return n.Intake.Refuse(fault.Bad(top.name("action"), fault.NotAllowed, "must be sent by itself: its answer is about one device"))
	}
	_, err = n.take(r, top, action)
	return err
}
