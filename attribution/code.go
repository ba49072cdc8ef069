package attribution

// Code names a rule. Codes are stored and shown; they do not change.
type Code string

// Why a touch was not eligible.
const (
	OtherApp         Code = "other_app"         // it belongs to another account or app
	NotRecognised    Code = "not_recognised"    // nothing joins it to the conversion
	PlatformMismatch Code = "platform_mismatch" // an iOS click never earns an Android install
	NotClaimed       Code = "not_claimed"       // its route may not claim this event
	AlreadyUsed      Code = "already_used"      // it earned another conversion; of a match by likeness, or another touch of its visitor did
	AfterConversion  Code = "after_conversion"
	OutsideLookback  Code = "outside_lookback"
	NotRetargeting   Code = "not_retargeting" // only retargeting touches win people who have the app
	BeforeInstall    Code = "before_install"  // it was before the device's last installation
	NotInactive      Code = "not_inactive"    // the person was not away long enough
	TooSoonAgain     Code = "too_soon_again"  // the same link has just won the same person
	ViewOfOpen       Code = "view_of_open"    // impressions do not win this partner's people back
)

// Why there is no probabilistic match, of a touch or at all.
const (
	Matched         Code = "matched"
	LikenessOff     Code = "likeness_off"
	NoConsent       Code = "no_consent"
	PlatformForbids Code = "platform_forbids"
	ReferrerDecides Code = "referrer_decides" // a referrer that names a click leaves nothing to guess, and nothing to what came before that click
	NoAddress       Code = "no_address"       // none, or one that says nothing about where the device is
	NoCandidate     Code = "no_candidate"
	Crowded         Code = "crowded" // too many devices behind the address
	OtherDevice     Code = "other_device"
	OtherVersion    Code = "other_version"
	OtherModel      Code = "other_model"
	ThinEvidence    Code = "thin_evidence"
	LowScore        Code = "low_score"
	Ambiguous       Code = "ambiguous"
	Outscored       Code = "outscored"
	NotForOpens     Code = "not_for_opens" // likeness never wins people back, nor earns events
)

// Fraud rules.
const (
	Bot             Code = "bot_ua"
	ClickInjection  Code = "click_injection"
	ShortTime       Code = "ctit_short"
	OutlyingTimes   Code = "ctit_outlier"
	ClickFlood      Code = "click_flood"
	Anonymous       Code = "anonymous_traffic"
	AnonymousTouch  Code = "anonymous_touch"
	MalformedID     Code = "malformed_advertising_id"
	DuplicateDevice Code = "duplicate_device"
	DeviceFarm      Code = "device_farm"
	GeoMismatch     Code = "geo_mismatch"
	BadSignature    Code = "incorrect_signature"
	Emulator        Code = "emulator"
	ClockSuspect    Code = "clock_suspect"
	// RefusedInstall stands for the rule that refused an installation where that is not known any more.
	RefusedInstall Code = "refused_install"
)
