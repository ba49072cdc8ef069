package onelink

import (
	"strconv"
	"strings"
)

// saidParams are the parameters of a touch, as its Query keeps them.
type saidParams map[string]string

func saidIn(query string) saidParams {
	said := saidParams{}
	for _, p := range paramsIn(query) {
		said[p.Name] = p.Value
	}
	return said
}

// get returns a parameter, nil where it is not there or empty.
func (s saidParams) get(name string) *string { return known(s[name]) }

// deepLinks are those that new users' apps are told ("Unified deep linking").
func (s saidParams) deepLinks() map[string]string {
	told := map[string]string{}
	for name, value := range s {
		if isDeepLinkParam(name) {
			told[name] = value
		}
	}
	return told
}

// mostDeepLinkSubs is how many deep_link_sub there are.
const mostDeepLinkSubs = 10

func isDeepLinkParam(name string) bool {
	if name == paramDeepLinkValue {
		return true
	}
	number, ok := strings.CutPrefix(name, paramDeepLinkSub)
	n, err := strconv.Atoi(number)
	return ok && err == nil && n >= 1 && n <= mostDeepLinkSubs && strconv.Itoa(n) == number
}

// custom are the parameters that the vendor gives no meaning to, and the deep
// links.
func (s saidParams) custom() map[string]string {
	told := map[string]string{}
	for name, value := range s {
		if !isVendorParam(name) {
			told[name] = value
		}
	}
	return told
}

// vendorParams have a meaning of their own, like everything that begins with af_.
var vendorParams = map[string]bool{
	paramSource: true, paramCampaign: true, paramPartnerClick: true, paramRetargeting: true, paramIncentivized: true, paramNoRedirect: true,
	paramRenewTTL: true, paramShortLink: true, paramSourceCaller: true, paramTemplate: true, paramHTTPReferrer: true,
}

func isVendorParam(name string) bool {
	_, isID := idOf(name, "")
	return isID || vendorParams[name] || strings.HasPrefix(name, "af_")
}
