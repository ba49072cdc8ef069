package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"waypost/attribution/history"
	"waypost/link"
)

// Intake is what takes reports of apps.
type Intake interface {
	// Unknown lists the names of apps, and the SDK keys, that reports meant the
	// account by and nobody has, the latest first.
	Unknown(ctx context.Context, account link.AccountID) ([]history.Unknown, error)
}

type unknownInput struct {
	Caller
	Account int64 `query:"account" doc:"Needed only for tokens that open several accounts."`
}

type unknownOutput struct {
	Body struct {
		Apps []unknownName `json:"apps" doc:"Names of apps. The latest first."`
		Keys []unknownName `json:"keys" doc:"SDK keys that nobody has, of reports that named an app that only this account has. The latest first."`
	}
}

type unknownName struct {
	Name    string `json:"name" doc:"As the reports spell it, cut to 128 bytes."`
	Reports int64  `json:"reports" doc:"That gave it."`
	LastAt  int64  `json:"last_at" doc:"Of the last one, Unix milliseconds."`
}

func (s *server) registerUnknownApps(a huma.API) {
	huma.Register(a, huma.Operation{
		OperationID: "unknown-apps", Method: http.MethodGet, Path: Prefix + "/unknown-apps",
		Summary:     "Apps that reports named and the account does not have, and keys that nobody has",
		Description: "At most 32 of each, the newest: a bundle id or a key that is misspelt in an app, or an app that is not in the apply file yet. For tokens of the whole account.",
	}, answered(s, s.unknownApps))
}

func (s *server) unknownApps(ctx context.Context, in *unknownInput) (*unknownOutput, error) {
	account, err := s.wholeAccount(in.Caller, in.Account, link.Read)
	if err != nil {
		return nil, err
	}
	list, err := s.Intake.Unknown(ctx, account)
	if err != nil {
		return nil, err
	}
	out := &unknownOutput{}
	out.Body.Apps, out.Body.Keys = []unknownName{}, []unknownName{}
	for _, u := range list {
		shown := unknownName{Name: u.Name, Reports: u.Reports, LastAt: millis(u.LastAt)}
		if u.Kind == history.UnknownKey {
			out.Body.Keys = append(out.Body.Keys, shown)
		} else {
			out.Body.Apps = append(out.Body.Apps, shown)
		}
	}
	return out, nil
}
