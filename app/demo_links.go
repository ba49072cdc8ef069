package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// demoLink is made through a vendor's API, as a client would make it.
type demoLink struct{ path, header, body, shows string }

// Paths and headers of the vendors' APIs.
const (
	demoOneLink    = "/api/v2.0/shortlinks/A1b3"
	demoSmartLinks = "/v1/links"
	demoSingular   = "/api/v1/singular_links/links"
	headerBare     = "Authorization"
	headerKey      = "Authentication-Key"
)

// Bodies with %s for a name; their numbers are those of demo.yaml.
const (
	smartBody = `{"app_group_id":1,"app_group_campaign_name":"welcome","name":"%s","default":{"app_id":13,"destination_url":"https://www.example.com/"},` +
		`"routes_by_app":[{"app_id":11,"events":["_Install"],"routes":[{"name":"iPhones","destination_url":"https://apps.apple.com/us/app/demo/id1234567890","reengagement_url":"demo://%[1]s","rules":{"platform_in":["iOS"]}}]},` +
		`{"app_id":13,"events":[],"routes":[{"name":"Desktops","destination_url":"https://www.example.com/%[1]s","rules":{"platform_in":["Web","Windows","Macosx"]}}]}]}`
	singularBody = `{"app_id":1,"link_type":"custom","source_name":"email","tracking_link_name":"%s","link_subdomain":"demo","link_dns_zone":"sng.link","destination_fallback_url":"https://www.example.com/",` +
		`"link_parameter":{"pcn":"%[1]s"},"android_redirection":{"app_site_id":12,"destination_url":"https://play.google.com/store/apps/details?id=com.example.demo"}}`
)

// demoLinks are there when the demo begins: the first is clicked by its lines,
// and so are the last two, which are a SmartLink and a Singular link.
var demoLinks = []demoLink{
	{demoOneLink, headerBare, `{"data":{"pid":"newsletter","c":"welcome","deep_link_value":"hello"},"shortlink_id":"hello"}`, "OneLink: stores on phones, the web site elsewhere"},
	{demoOneLink, headerBare, `{"data":{"pid":"newsletter","c":"welcome","af_dp":"demo://hello","af_web_dp":"https://www.example.com/hello"},"shortlink_id":"try"}`, "OneLink: a page on Android that tries the app first"},
	{demoOneLink, headerBare, `{"data":{"pid":"sms","c":"sale","af_r":"https://www.example.com/shop?season=winter"},"shortlink_id":"shop"}`, "OneLink: one web page on every platform"},
	{demoSmartLinks, headerKey, fmt.Sprintf(smartBody, "hello"), "SmartLink: routes that are counted one by one; a page on iPhones that tries the app first"},
	{demoSingular, headerBare, fmt.Sprintf(singularBody, "hello"), "Singular link: the store on Android, the web site elsewhere"},
}

// demoText holds what the demo prints behind its links. %[1]s is the first
// link, %[2]s the API, %[3]s the token, %[4]s the SmartLink, %[5]s the Singular
// link; the bodies are %[6]s and %[7]s.
const demoText = `
Click a OneLink as a phone, a desktop and a bot; a SmartLink as an iPhone; a Singular link as a phone:
  curl -si -A 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36' %[1]s
  curl -si -A 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1' %[1]s
  curl -si -A 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36' %[1]s
  curl -si -A 'facebookexternalhit/1.1' %[1]s
  curl -si -A 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1' %[4]s
  curl -si -A 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36' %[5]s

Make some of your own (OneLink API v2.0, then v1; SmartLinks; Singular Links):
  curl -s -X POST http://%[2]s/api/v2.0/shortlinks/A1b3 -H 'authorization: %[3]s' -H 'content-type: application/json' -d '{"data":{"pid":"email","c":"spring"},"shortlink_id":"spring","ttl":"90d"}'
  curl -s -X POST 'http://%[2]s/shortlink/v1/A1b3?id=summer' -H 'authorization: %[3]s' -H 'content-type: application/json' -d '{"data":{"pid":"email","c":"summer"},"ttl":"25d"}'
  curl -s -X POST http://%[2]s/v1/links -H 'Authentication-Key: %[3]s' -H 'content-type: application/json' -d '%[6]s'
  curl -s -X POST http://%[2]s/api/v1/singular_links/links -H 'authorization: %[3]s' -H 'content-type: application/json' -d '%[7]s'

List them; SmartLinks show their clicks, of each route and of the whole (a second later):
  curl -s http://%[2]s/v1/links -H 'Authentication-Key: %[3]s'
  curl -s http://%[2]s/api/v1/singular_links/links -H 'authorization: %[3]s'

See why a link goes where it goes, what was counted, and the contract of our own API:
  curl -s 'http://%[2]s/waypost/v1/explain?url=%[1]s' -H 'authorization: %[3]s'
  curl -s 'http://%[2]s/waypost/v1/explain?url=%[4]s' -H 'authorization: %[3]s'
  curl -s 'http://%[2]s/waypost/v1/counts?group_by=link,tracker,metric,platform' -H 'authorization: %[3]s'
  curl -s http://%[2]s/waypost/v1/openapi.json
`

// introduce makes the sample links and prints what to try with them.
func introduce(ctx context.Context, out io.Writer, api string) error {
	urls := make([]string, len(demoLinks))
	for i := range demoLinks {
		url, err := createDemoLink(ctx, api, &demoLinks[i])
		if err != nil {
			return fmt.Errorf("make a link of the demo by POST %s: %w", demoLinks[i].path, err)
		}
		urls[i] = url
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Waypost is running, with a throw-away account. Ctrl-C ends it and removes its data.\n\nLinks:\n")
	for i, l := range demoLinks {
		fmt.Fprintf(&b, "  %-44s %s\n", urls[i], l.shows)
	}
	last := len(urls) - 1
	fmt.Fprintf(&b, demoText, urls[0], api, demoToken, urls[last-1], urls[last], fmt.Sprintf(smartBody, "spring"), fmt.Sprintf(singularBody, "spring"))
	_, err := io.WriteString(out, b.String())
	return err
}

// createDemoLink returns the address that the API gives the link.
func createDemoLink(ctx context.Context, api string, l *demoLink) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+api+l.path, strings.NewReader(l.body))
	if err != nil {
		return "", err
	}
	req.Header.Set(l.header, demoToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil {
		return "", err
	}
	var made struct {
		OneLink  string `json:"shortlink_url"`
		Singular string `json:"short_link"`
		Data     struct {
			SmartLink string `json:"click_url"`
		}
	}
	url := ""
	if err = json.Unmarshal(answer, &made); err == nil {
		url = made.OneLink + made.Singular + made.Data.SmartLink
	}
	if err != nil || url == "" || resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the API answered %d: %s", resp.StatusCode, answer)
	}
	return url, nil
}
