package onelink

import (
	"encoding/json"
	"net/url"
	"testing"

	"waypost/internal/device"
	"waypost/internal/fault"
)

func FuzzReadEvent(f *testing.F) {
	f.Add([]byte(`{"appsflyer_id":"1-1","eventName":"x","eventValue":"{\"af_revenue\":\"6\"}","eventTime":"2019-05-15 12:17:01.123","ip":"192.0.2.1","att":3,"aie":true}`))
	f.Add([]byte(`{"appsflyer_id":1,"eventName":true,"eventValue":{"a":[{}]},"consent_data":{"tcf":{"gdpr_applies":1,"tcstring":"CAAA"}},"sharing_filter":"all"}`))
	f.Add([]byte(`{"appsflyer_id":"1","eventName":"x","eventValue":"{\"a\":"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		told, err := readEvent(raw)
		if err != nil {
			if fault.As(err).Kind != fault.Invalid || fault.As(err).Field == "" {
				t.Fatalf("refused without a field: %v", err)
			}
			return
		}
		if told.report.Install == "" || told.report.Name == "" {
			t.Fatalf("accepted %+v", told.report)
		}
		if p := told.report.Params; p != nil && (!json.Valid(p) || p[0] != '{') {
			t.Fatalf("params %q are no object", p)
		}
	})
}

func FuzzReadStart(f *testing.F) {
	f.Add([]byte(`{"is_first":"true","lang":"en-US","os":"14","type":"x","timestamp":"2015-01-22T08:45:33.412","ip":"127.0.0.1","att_status":1,"idfv":{"type":"md5","value":"x"}}`), true)
	f.Add([]byte(`{"is_first":true,"lang":"x","os":1,"type":"x","timestamp":1,"ip":"::1","referrers":[{"source":"google","value":"af_tranid=1"}],"gaid":null}`), false)
	f.Fuzz(func(t *testing.T, raw []byte, ios bool) {
		p := device.Android
		if ios {
			p = device.IOS
		}
		start, err := readStart(raw, p)
		if err != nil {
			if fault.As(err).Kind != fault.Invalid || fault.As(err).Field == "" {
				t.Fatalf("refused without a field: %v", err)
			}
			return
		}
		if r := start.report; r.Install == "" || r.Key == "" || len(r.Addresses) != 1 || r.Params != nil && !json.Valid(r.Params) {
			t.Fatalf("accepted %+v", r)
		}
	})
}

func FuzzReadEngagement(f *testing.F) {
	f.Add("af_media_source=x_int&af_campaign_id=1&af_lookback_window=7d&af_device_id_type=fire&af_device_id_value=x&own=%0a")
	f.Add("af_media_source=x&af_campaign_id=1&af_ip=::1&af_user_agent=x&af_campaign_type=retargeting")
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		said := map[string]string{}
		for name := range values {
			said[name] = values.Get(name)
		}
		e, err := readEngagement(said)
		if err != nil {
			if fault.As(err).Kind != fault.Invalid || fault.As(err).Field == "" {
				t.Fatalf("refused without a field: %v", err)
			}
			return
		}
		if kept, err := url.ParseQuery(e.Query); err != nil || kept.Get(paramSource) != said[engagementSource] || kept.Has(paramAddress) {
			t.Fatalf("kept %q of %v: %v", e.Query, said, err)
		}
	})
}
