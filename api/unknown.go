package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"waypost/ingest"
	"waypost/link"
)

// Intake is what takes reports of apps.
type Intake interface {
	// UnknownApps lists the apps that reports with the account's key named and
	// it does not have, the latest first.
	UnknownApps(account link.AccountID) []ingest.UnknownApp
}

type unknownInput struct {
	Caller
	Account int64 `query:"account" doc:"Needed only for tokens that open several accounts."`
}

type unknownOutput struct {
	Body struct {
		Apps []unknownApp `json:"apps" doc:"The latest first."`
	}
}

type unknownApp struct {
	Name    string `json:"name" doc:"As the reports spell it."`
	Reports uint64 `json:"reports" doc:"That named it, since the server started."`
	LastAt  int64  `json:"last_at" doc:"Of the last one, Unix milliseconds."`
}

func (s *server) registerUnknownApps(a huma.API) {
	huma.Register(a, huma.Operation{
		OperationID: "unknown-apps", Method: http.MethodGet, Path: Prefix + "/unknown-apps",
		Summary:     "Apps that reports named and the account does not have",
		Description: "At most 32, since the server started: a bundle id that is misspelt in an app, or an app that is not in the apply file yet. For tokens of the whole account.",
	}, answered(s, s.unknownApps))
}

func (s *server) unknownApps(_ context.Context, in *unknownInput) (*unknownOutput, error) {
	account, err := s.wholeAccount(in.Caller, in.Account, link.Read)
	if err != nil {
		return nil, err
	}
	out := &unknownOutput{}
	out.Body.Apps = []unknownApp{}
	for _, u := range s.Intake.UnknownApps(account) {
		out.Body.Apps = append(out.Body.Apps, unknownApp{Name: u.Name, Reports: u.Count, LastAt: millis(u.LastAt)})
	}
	return out, nil
}
