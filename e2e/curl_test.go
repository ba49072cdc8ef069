package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"waypost/compat/compattest"
)

// curled is one answer that curl printed.
type curled struct {
	status int
	header http.Header
	body   string
}

// curl runs a command line as a client's author would paste it, with $API,
// $LINKS and $TOKEN, and returns every answer that it printed; the line must
// have -i.
func (p *process) curl(t *testing.T, line string) []curled {
	t.Helper()
	out := shell(t, fmt.Sprintf("export API=http://%s LINKS=http://%s TOKEN=%s\n%s", p.api, p.links, "${TOKEN:-acme-admin-token}", line))
	var answers []curled
	for text := bufio.NewReader(strings.NewReader(out)); ; {
		if _, err := text.Peek(1); err == io.EOF {
			break
		}
		resp, err := http.ReadResponse(text, nil)
		if err != nil {
			t.Fatalf("%s: %v\n%.2000s", line, err, out)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatalf("%s: %v\n%.2000s", line, err, out)
		}
		answers = append(answers, curled{resp.StatusCode, resp.Header, string(body)})
	}
	if len(answers) == 0 {
		t.Fatalf("%s prints nothing", line)
	}
	return answers
}

// mustCurl runs a line with one answer and holds it against a status and the
// whole body, in which <code> stands for a random id.
func (p *process) mustCurl(t *testing.T, line string, status int, body string) curled {
	t.Helper()
	got := p.curl(t, line)[0]
	pattern := strings.ReplaceAll(regexp.QuoteMeta(body), "<code>", "[a-z0-9]{8}")
	if got.status != status || !regexp.MustCompile(`\A(?:`+pattern+`)\z`).MatchString(got.body) {
		t.Errorf("%s\nanswers %d %s\nwant %d %s", line, got.status, got.body, status, body)
	}
	return got
}

// clickTo clicks with curl and returns where it is sent.
func (p *process) clickTo(t *testing.T, path, agent string) string {
	t.Helper()
	got := p.curl(t, fmt.Sprintf(`curl -sS -i -A '%s' -H 'Host: acme.localhost' "$LINKS%s"`, agent, path))[0]
	if got.status != http.StatusFound {
		t.Errorf("a click on %s answers %d %s", path, got.status, got.body)
	}
	return got.header.Get("Location")
}

// TestCurlV1 is a client written from the vendor's page of v1: "&id=" as the
// page has it, "?id=" as clients have it.
func TestCurlV1(t *testing.T) {
	t.Parallel()
	needCurl(t)
	p := start(t, filepath.Join(t.TempDir(), "data"), "--apply", "../examples/acme.yaml")
	const (
		auth = `-H "authorization: $TOKEN" -H 'content-type: application/json'`
		base = "http://acme.localhost:8080/A1b3/"
	)
	for _, form := range []string{"&", "?"} {
		url := `"$API/shortlink/v1/A1b3` + form + `id=my_shortlink_id"`
		p.mustCurl(t, `curl -sS -i `+url+` `+auth+` -d '{"ttl":"25d","data":{"pid":"my_media_source_SMS","c":"my_campaign","af_web_dp":"https://www.acme.test/one"}}'`, 200, `"`+base+`my_shortlink_id"`)
		p.mustCurl(t, `curl -sS -i `+url+` `+auth+` -d '{"data":{"pid":"x"}}'`, 409, `"Shortlink ID already in use"`)
		p.mustCurl(t, `curl -sS -i `+url+` `+auth, 200, `{"pid":"my_media_source_SMS","c":"my_campaign","af_web_dp":"https://www.acme.test/one"}`)
		if to := p.clickTo(t, "/A1b3/my_shortlink_id", desktop); to != "https://www.acme.test/one?pid=my_media_source_SMS&c=my_campaign&shortlink=my_shortlink_id&source_caller=api" {
			t.Errorf("a click goes to %s", to)
		}
		p.mustCurl(t, `curl -sS -i -X PUT `+url+` `+auth+` -d '{"ttl":"2d","renew_ttl":false,"data":"{\"pid\":\"y\",\"af_web_dp\":\"https://www.acme.test/two\"}"}'`, 200, `"`+base+`my_shortlink_id"`)
		p.mustCurl(t, `curl -sS -i `+url+` -H "Authorization: Bearer $TOKEN"`, 200, `{"pid":"y","af_web_dp":"https://www.acme.test/two"}`)
		if to := p.clickTo(t, "/A1b3/my_shortlink_id", desktop); !strings.HasPrefix(to, "https://www.acme.test/two?pid=y&") {
			t.Errorf("after the update a click goes to %s", to)
		}
		p.mustCurl(t, `curl -sS -i -X DELETE `+url+` `+auth, 200, `"ok"`)
		p.mustCurl(t, `curl -sS -i -X DELETE `+url+` `+auth, 404, `"Not Found"`)
		p.mustCurl(t, `curl -sS -i `+url+` `+auth, 404, `"Not Found"`)
		if to := p.clickTo(t, "/A1b3/my_shortlink_id", desktop); to != "https://www.acme.test/" {
			t.Errorf("after the deletion a click goes to %s", to)
		}
	}
	p.mustCurl(t, `curl -sS -i "$API/shortlink/v1/A1b3" `+auth+` -d '{"data":{"pid":"x"}}'`, 200, `"`+base+`<code>"`)
	p.mustCurl(t, `curl -sS -i "$API/shortlink/v1/A1b3" `+auth+` -d '{"data":{"pid":"x"},"brand_domain":"mybranded.test"}'`, 200, `"https://mybranded.test/A1b3/<code>"`)
	p.mustCurl(t, `curl -sS -i "$API/shortlink/v1/A1b3" -d '{"data":{"pid":"x"}}'`, 401, `"Authentication Failed"`)
}

// TestCurlV2 is a client written from the pages of v2.0, with the code that a
// phone scans and the quota.
func TestCurlV2(t *testing.T) {
	t.Parallel()
	needCurl(t)
	midnightIsFar(t)
	p := start(t, filepath.Join(t.TempDir(), "data"), "--apply", "../examples/acme.yaml")
	const auth = `-H "authorization: $TOKEN" -H 'content-type: application/json'`
	left := func() int64 {
		t.Helper()
		var quota struct {
			Remaining *int64 `json:"remaining_api_calls"`
		}
		got := p.curl(t, `curl -sS -i "$API/api/v2.0/shortlinks-quota/ACC1" `+auth)[0]
		if err := json.Unmarshal([]byte(got.body), &quota); err != nil || got.status != 200 || quota.Remaining == nil {
			t.Fatalf("quota: %d %s", got.status, got.body)
		}
		return *quota.Remaining
	}
	before := left()
	p.mustCurl(t, `curl -sS -i "$API/api/v2.0/shortlinks/A1b3" `+auth+` -d '{"data":{"pid":"email","c":"spring","af_web_dp":"https://www.acme.test/one"},"shortlink_id":"promo","ttl":"90d"}'`, 200, `{"shortlink_url":"http://acme.localhost:8080/A1b3/promo"}`)
	read := p.curl(t, `curl -sS -i "$API/api/v2.0/shortlinks/A1b3/promo" `+auth)[0]
	var shown struct {
		Payload map[string]string
		Expiry  time.Time
		TTL     int
	}
	if err := json.Unmarshal([]byte(read.body), &shown); err != nil || shown.TTL != 90*86400 || len(shown.Payload) != 3 || time.Until(shown.Expiry) < 89*24*time.Hour {
		t.Errorf("read: %v %s", err, read.body)
	}
	if to := p.clickTo(t, "/A1b3/promo", desktop); to != "https://www.acme.test/one?pid=email&c=spring&shortlink=promo&source_caller=api_v2" {
		t.Errorf("a click goes to %s", to)
	}
	for _, query := range []string{"", "?size=400x400&format=jpg&margin=false"} {
		var answer struct{ QR string }
		got := p.curl(t, `curl -sS -i "$API/api/v2.0/shortlinks/A1b3/promo/qr`+query+`" `+auth)[0]
		if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
			t.Fatalf("QR: %d %s", got.status, got.body)
		}
		want := compattest.Picture{Format: "png", Width: 300, Height: 300, Text: "http://acme.localhost:8080/A1b3/promo?af_qr=true"}
		if query != "" {
			want.Format, want.Width, want.Height = "jpeg", 400, 400
		}
		if picture, err := compattest.ReadPicture(answer.QR); err != nil || picture != want {
			t.Errorf("QR%s is %+v, %v", query, picture, err)
		}
	}
	p.mustCurl(t, `curl -sS -i -X PUT "$API/api/v2.0/shortlinks/A1b3/promo" `+auth+` -d '{"data":{"pid":"email","af_web_dp":"https://www.acme.test/two"}}'`, 200, `{"shortlink_url":"http://acme.localhost:8080/A1b3/promo"}`)
	if to := p.clickTo(t, "/A1b3/promo?af_qr=true", desktop); !strings.HasPrefix(to, "https://www.acme.test/two?pid=email&") || !strings.Contains(to, "af_qr=true") {
		t.Errorf("a scan goes to %s", to)
	}
	p.mustCurl(t, `curl -sS -i -X DELETE "$API/api/v2.0/shortlinks/A1b3/promo" `+auth, 200, `"ok"`)
	p.mustCurl(t, `curl -sS -i "$API/api/v2.0/shortlinks/A1b3/promo" `+auth, 404, `{"error_type":"invalid_parameter","message":"Shortlink not found"}`)
	if after := left(); after != before-3 {
		t.Errorf("one POST, PUT and DELETE take the quota from %d to %d", before, after)
	}
	if used := p.usage(t, "acme-read-token"); used["onelink.v2"] != 3 || len(used) != 1 {
		t.Errorf("usage is %v", used)
	}
}

// usage returns the account's calls of this month by the counter's name.
func (p *process) usage(t *testing.T, token string) map[string]int64 {
	t.Helper()
	var answer struct {
		Days, Months []struct {
			Name  string
			Calls int64
		}
	}
	got := p.curl(t, `curl -sS -i "$API/waypost/v1/usage" -H 'authorization: `+token+`'`)[0]
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil || got.status != 200 {
		t.Fatalf("usage: %v %d %s", err, got.status, got.body)
	}
	byDay, byMonth := map[string]int64{}, map[string]int64{}
	for _, d := range answer.Days {
		byDay[d.Name] += d.Calls
	}
	for _, m := range answer.Months {
		byMonth[m.Name] += m.Calls
	}
	if fmt.Sprint(byDay) != fmt.Sprint(byMonth) {
		t.Errorf("usage by day is %v, by month %v", byDay, byMonth)
	}
	return byMonth
}

// limited starts the set-up of the exemplary cases with limits.
func limited(t *testing.T, limits map[string]int64) (p *process, data string) {
	t.Helper()
	midnightIsFar(t)
	setup, err := os.ReadFile("../compat/onelink/testdata/golden.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := compattest.Given{Setup: "golden", Limits: limits}.ApplyFile(setup)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "golden.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	data = filepath.Join(dir, "data")
	return start(t, data, "--apply", file), data
}

func TestCurlMonthlyQuota(t *testing.T) {
	t.Parallel()
	needCurl(t)
	p, data := limited(t, map[string]int64{"onelink.monthly_writes": 3})
	const v1 = `TOKEN=golden-token; curl -sS -i "$API/shortlink/v1/A1b3" -H "authorization: $TOKEN" -d '{"data":{"pid":"x"}}'`
	const v2 = `TOKEN=golden-token; curl -sS -i "$API/api/v2.0/shortlinks/A1b3" -H "authorization: $TOKEN" -d '{"data":{"pid":"x"}}'`
	const quota = `curl -sS -i "$API/api/v2.0/shortlinks-quota/ACC1" -H 'authorization: golden-token'`
	for left := 2; left >= 0; left-- {
		p.mustCurl(t, v2, 200, `{"shortlink_url":"https://myapp.onelink.me/A1b3/<code>"}`)
		p.mustCurl(t, quota, 200, fmt.Sprintf(`{"remaining_api_calls":%d}`, left))
	}
	spent := func() {
		t.Helper()
		got := p.mustCurl(t, v2, 429, `{"error_type":"quota_exceeded","message":"Monthly Quota Exceeded."}`)
		wait, err := strconv.Atoi(got.header.Get("Retry-After"))
		now := time.Now().UTC()
		month := time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		if until := month.Sub(now) - time.Duration(wait)*time.Second; err != nil || until.Abs() > 10*time.Minute {
			t.Errorf("Retry-After is %q, which is %v off the next month", got.header.Get("Retry-After"), until)
		}
		p.mustCurl(t, quota, 200, `{"remaining_api_calls":0}`)
	}
	spent()
	p.mustCurl(t, v1, 200, `"https://myapp.onelink.me/A1b3/<code>"`)
	p.kill()
	p = start(t, data) // its configuration is stored
	spent()
	p.mustCurl(t, v1, 200, `"https://myapp.onelink.me/A1b3/<code>"`)
	p.mustCurl(t, v1, 200, `"https://myapp.onelink.me/A1b3/<code>"`)
	if got := p.mustCurl(t, v1, 429, `"Monthly quota exceeded"`); got.header.Get("Retry-After") == "" {
		t.Error("a 429 of v1 says no Retry-After")
	}
	if used := p.usage(t, "golden-token"); used["onelink.v1"] != 3 || used["onelink.v2"] != 3 || len(used) != 2 {
		t.Errorf("usage is %v", used)
	}
	if used := p.usage(t, "golden-token-rival"); len(used) != 0 {
		t.Errorf("the other account's usage is %v", used)
	}
}

// TestCurlRate asks more often in a second than the account may.
func TestCurlRate(t *testing.T) {
	t.Parallel()
	needCurl(t)
	p, _ := limited(t, map[string]int64{"onelink.v1_per_second": 2, "onelink.v2_per_second": 2})
	for _, c := range [][2]string{ // the last one takes from what the one before has spent
		{"/shortlink/v1/A1b3?id=none&n=", `"Rate limit exceeded"`},
		{"/api/v2.0/shortlinks/A1b3/none?n=", `{"error_type":"rate_limit_exceeded","message":"Rate Limit Exceeded."}`},
		{"/api/v2.0/shortlinks-quota/ACC1?n=", `{"error_type":"rate_limit_exceeded","message":"Rate Limit Exceeded."}`},
	} {
		path, refusal := c[0], c[1]
		passed, refused := 0, 0
		for _, got := range p.curl(t, `curl -sS -i -H 'authorization: golden-token' "$API`+path+`[1-60]"`) {
			switch {
			case got.status != http.StatusTooManyRequests:
				passed++
			case got.body != refusal || got.header.Get("Retry-After") != "1":
				t.Errorf("%s: %v %s", path, got.header, got.body)
			default:
				refused++
			}
		}
		if passed < 2 && !strings.Contains(path, "quota") || refused == 0 {
			t.Errorf("%s: %d passed and %d were refused; 2 may pass in a second", path, passed, refused)
		}
	}
}

// bulk posts a body to the bulk form.
func (p *process) bulk(t *testing.T, token, body string) (status int, answer bulkAnswer) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "links.json")
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	got := p.curl(t, `curl -sS -i --raw "$API/waypost/v1/links:batch" -H 'Expect:' -H 'authorization: `+token+`' -H 'content-type: application/json' --data-binary @`+file)[0]
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
		t.Fatalf("bulk answers %d %.300s", got.status, got.body)
	}
	return got.status, answer
}

type bulkAnswer struct {
	Created, Failed int
	Results         []struct {
		URL, ID string
		Error   *struct{ Code, Field, Message string }
	}
	Detail string // where the call as a whole is refused
}

func TestCurlBulk(t *testing.T) {
	t.Parallel()
	needCurl(t)
	midnightIsFar(t)
	p := start(t, filepath.Join(t.TempDir(), "data"), "--apply", "../examples/acme.yaml")
	const most = 10_000
	var body bytes.Buffer
	for i := range most {
		fmt.Fprintf(&body, `,{"template":"A1b3","id":"bulk%d","data":{"pid":"crm","c":"c%d","af_web_dp":"https://www.acme.test/%d"},"ttl":"60d"}`, i, i, i)
	}
	all := `{"links":[` + body.String()[1:]
	began := time.Now()
	status, answer := p.bulk(t, "acme-admin-token", all+`]}`)
	if status != 200 || answer.Created != most || answer.Failed != 0 || len(answer.Results) != most {
		t.Fatalf("bulk: %d, %d created, %d failed, %d results, %s", status, answer.Created, answer.Failed, len(answer.Results), answer.Detail)
	}
	t.Logf("%d links in %v", most, time.Since(began))
	for _, i := range []int{0, 4711, most - 1} {
		code := fmt.Sprintf("bulk%d", i)
		if r := answer.Results[i]; r.ID != code || r.URL != "http://acme.localhost:8080/A1b3/"+code {
			t.Errorf("result %d is %+v", i, r)
		}
		want := fmt.Sprintf("https://www.acme.test/%d?pid=crm&c=c%d&shortlink=%s&source_caller=api_v2", i, i, code)
		if to := p.clickTo(t, "/A1b3/"+code, desktop); to != want {
			t.Errorf("a click on %s goes to %s, want %s", code, to, want)
		}
	}
	p.mustCurl(t, `curl -sS -i -X DELETE "$API/api/v2.0/shortlinks/A1b3/bulk7" -H "authorization: $TOKEN"`, 200, `"ok"`)
	if status, answer := p.bulk(t, "acme-admin-token", all+`,{"template":"A1b3","data":{"pid":"x"}}]}`); status != 422 || !strings.Contains(answer.Detail, "10000") {
		t.Errorf("one too many: %d %s", status, answer.Detail)
	}
	if used := p.usage(t, "acme-read-token"); used["waypost.bulk"] != most {
		t.Errorf("usage is %v", used)
	}
	eventually(t, "the clicks to be counted", func() bool { return p.sum(t, "group_by=metric&template=A1b3") == 3 })
}

// TestBulkRefusals: bodies that are no single object, and one that is not read
// because its sender is nobody.
func TestBulkRefusals(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"), "--apply", "../examples/acme.yaml")
	const good = `{"links":[{"template":"A1b3","id":"refused","data":{"pid":"x"}}]}`
	for _, tail := range []string{"}", "]", " x", good} {
		if status, body := p.call(t, http.MethodPost, "/waypost/v1/links:batch", "acme-admin-token", good+tail); status != http.StatusUnprocessableEntity {
			t.Errorf("%q behind the object: %d %s", tail, status, body)
		}
	}
	conn, err := net.DialTimeout("tcp", p.api, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /waypost/v1/links:batch HTTP/1.1\r\nHost: %s\r\nAuthorization: nobody\r\nContent-Length: 60000000\r\n\r\n{", p.api)
	// The rest of the body never comes: only who does not wait for it answers.
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a stranger's body: %d", resp.StatusCode)
	}
	if status, body := p.call(t, http.MethodPost, "/waypost/v1/links:batch", "acme-admin-token", good); status != http.StatusOK || !strings.Contains(body, `"created":1`) {
		t.Errorf("after all that: %d %s", status, body)
	}
}

// TestCurlBulkItems gives the bulk form items that fail, each by itself.
func TestCurlBulkItems(t *testing.T) {
	t.Parallel()
	needCurl(t)
	p := start(t, filepath.Join(t.TempDir(), "data"), "--apply", "../examples/acme.yaml")
	items := []struct{ item, code, field string }{ // code is empty where it succeeds
		{`{"template":"A1b3","id":"one","data":{"pid":"x"}}`, "", ""},
		{`{"template":"A1b3","id":"one","data":{"pid":"x"}}`, "conflict", "id"},
		{`{"template":"Zz99","data":{"pid":"x"}}`, "not_found", "template"},
		{`{"template":"Rv41","data":{"pid":"x"}}`, "not_found", "template"},
		{`{"template":7,"data":{"pid":"x"}}`, "invalid", "template"},
		{`{"data":{"pid":"x"}}`, "not_found", "template"},
		{`{"template":"A1b3","id":"a/b","data":{"pid":"x"}}`, "invalid", "id"},
		{`{"template":"A1b3","id":5,"data":{"pid":"x"}}`, "invalid", "id"},
		{`{"template":"A1b3"}`, "invalid", "data"},
		{`{"template":"A1b3","data":[]}`, "invalid", "data"},
		{`{"template":"A1b3","data":{"c":"x"}}`, "invalid", "pid"},
		{`{"template":"A1b3","data":{"pid":"x","af_r":"javascript:alert(1)"}}`, "invalid", "af_r"},
		{`{"template":"A1b3","data":{"pid":"` + strings.Repeat("x", 3001) + `"}}`, "invalid", "data"},
		{`{"template":"A1b3","data":{"pid":"x"},"brand_domain":"other.test"}`, "invalid", "brand_domain"},
		{`{"template":"A1b3","data":{"pid":"x"},"brand_domain":["a"]}`, "invalid", "brand_domain"},
		{`{"template":"A1b3","data":{"pid":"x"},"renew_ttl":"maybe"}`, "invalid", "renew_ttl"},
		{`{"template":"A1b3","data":{"pid":"x"},"shortlink_id":"two"}`, "invalid", "shortlink_id"},
		{`"A1b3"`, "invalid", "links"},
		{`null`, "invalid", "links"},
		// As in v2.0, a ttl of another type or form is the default of 31 days.
		{`{"template":"A1b3","id":"ttl-number","data":{"pid":"x"},"ttl":7}`, "", ""},
		{`{"template":"A1b3","id":"ttl-object","data":{"pid":"x"},"ttl":{"days":7}}`, "", ""},
		{`{"template":"A1b3","id":"text","data":"{\"pid\":\"x\",\"renew_ttl\":\"false\"}","brand_domain":"https://mybranded.test/apps"}`, "", ""},
		{`{"template":"A1b3","data":{"pid":"x"}}`, "", ""},
	}
	texts := make([]string, len(items))
	for i := range items {
		texts[i] = items[i].item
	}
	status, answer := p.bulk(t, "acme-admin-token", `{"links":[`+strings.Join(texts, ",")+`]}`)
	if status != 200 || len(answer.Results) != len(items) || answer.Created != 5 || answer.Failed != len(items)-5 {
		t.Fatalf("bulk: %d %+v", status, answer)
	}
	for i, r := range answer.Results {
		switch want := items[i]; {
		case want.code == "" && (r.Error != nil || r.URL == "" || r.ID == ""):
			t.Errorf("%.80s: %+v", want.item, r)
		case want.code != "" && (r.Error == nil || r.Error.Code != want.code || r.Error.Field != want.field || r.Error.Message == "" || r.URL != ""):
			t.Errorf("%.80s: %+v %+v, want %s of %s", want.item, r, r.Error, want.code, want.field)
		}
	}
	const auth = `-H "authorization: $TOKEN"`
	for code, seconds := range map[string]int{"ttl-number": 7 * 86400, "ttl-object": 31 * 86400} {
		if got := p.curl(t, `curl -sS -i "$API/api/v2.0/shortlinks/A1b3/`+code+`" `+auth)[0]; !strings.Contains(got.body, fmt.Sprintf(`"ttl":%d}`, seconds)) {
			t.Errorf("%s: %s", code, got.body)
		}
	}
	p.mustCurl(t, `curl -sS -i "$API/shortlink/v1/A1b3?id=text" `+auth, 200, `{"pid":"x"}`)
	if url := answer.Results[21].URL; url != "https://mybranded.test/A1b3/text" {
		t.Errorf("the branded link is %s", url)
	}
	refused := func(token, body string, want int) {
		t.Helper()
		if status, answer := p.bulk(t, token, body); status != want || answer.Detail == "" {
			t.Errorf("%.80s: %d %+v, want %d", body, status, answer, want)
		}
	}
	refused("acme-admin-token", `{"links":`, 422)
	refused("acme-admin-token", ``, 400)
	refused("acme-admin-token", `[]`, 422)
	refused("acme-admin-token", `{"links":{}}`, 422)
	refused("acme-admin-token", `{"links":[]}`, 422)
	refused("acme-admin-token", `{"links":[{}]} x`, 422)
	refused("acme-admin-token", `{"link":[]}`, 422)
	refused("acme-admin-token", "{\"links\":[{\"template\":\"\xff\"}]}", 422)
	refused("nobody", `{"links":[{}]}`, 401)
	_, answer = p.bulk(t, "acme-read-token", `{"links":[{"template":"A1b3","data":{"pid":"x"}}]}`)
	if answer.Created != 0 || len(answer.Results) != 1 || answer.Results[0].Error == nil || answer.Results[0].Error.Code != "forbidden" {
		t.Errorf("a token that may only read: %+v", answer)
	}
}
