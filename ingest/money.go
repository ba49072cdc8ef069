package ingest

import (
	"math/big"
	"regexp"
	"strings"
)

// number is a decimal number as clients write it. Exponents are bounded here,
// before anything is computed: 1e999999 would fill the memory.
var number = regexp.MustCompile(`^-?[0-9]{1,30}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,2})?$`)

// fraction is how many decimals are kept; networks pay in millionths.
const fraction = 9

// mostMoney is the bound of a likely amount, in any currency, exclusive.
var mostMoney = new(big.Rat).SetInt64(1e12)

// amount returns the number in plain decimal form, "-1.5"; not ok, and as it
// came, where it is none or no likely one.
func amount(text string) (kept string, ok bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", true
	}
	if !number.MatchString(text) {
		return cut(text, maxFact), false
	}
	n, ok := new(big.Rat).SetString(text)
	if !ok || new(big.Rat).Abs(n).Cmp(mostMoney) >= 0 {
		return cut(text, maxFact), false
	}
	plain := n.FloatString(fraction)
	plain = strings.TrimSuffix(strings.TrimRight(plain, "0"), ".")
	if plain == "-0" {
		plain = "0"
	}
	return plain, true
}

// currency returns the code in capitals; not ok where ISO 4217 does not know
// it, or where it is missing beside an amount.
func currency(text, amount string) (kept string, ok bool) {
	code := strings.ToUpper(strings.TrimSpace(text))
	if code == "" {
		return "", amount == "" || amount == "0"
	}
	if len(code) == 3 && strings.Contains(currencies, " "+code+" ") {
		return code, true
	}
	return cut(strings.TrimSpace(text), maxFact), false
}

// currencies are the codes of ISO 4217 (2026-01-01) for money: no metals, no
// test codes, and those that were in use in the last years.
const currencies = " AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD " +
	"CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD " +
	"HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD " +
	"MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR " +
	"RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS " +
	"UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ZWL "
