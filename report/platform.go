package report

import "waypost/link"

// PlatformDimension is what conversions that platforms told of may be grouped by.
type PlatformDimension string

// Dimensions of conversions that platforms told of.
const (
	PlatformDay         PlatformDimension = "day" // on which it was received
	PlatformApp         PlatformDimension = "app"
	PlatformFramework   PlatformDimension = "framework"
	PlatformNetwork     PlatformDimension = "network"
	PlatformSource      PlatformDimension = "source"
	PlatformConversion  PlatformDimension = "conversion"
	PlatformInteraction PlatformDimension = "interaction"
	PlatformSequence    PlatformDimension = "sequence"
	PlatformValue       PlatformDimension = "value"
	PlatformCoarseValue PlatformDimension = "coarse_value"
	PlatformCountry     PlatformDimension = "country"
)

// PlatformDimensions lists all of them.
func PlatformDimensions() []PlatformDimension {
	return []PlatformDimension{
		PlatformDay, PlatformApp, PlatformFramework, PlatformNetwork, PlatformSource, PlatformConversion, PlatformInteraction, PlatformSequence,
		PlatformValue, PlatformCoarseValue, PlatformCountry,
	}
}

// PlatformQuery asks for sums of one account's conversions that platforms told
// of. Zero fields do not restrict. Those of developers' devices are left out.
type PlatformQuery struct {
	Account  link.AccountID
	App      link.AppID
	From, To Day // both included
	GroupBy  []PlatformDimension
	Limit    int // rows at most
}

// PlatformRow is a sum. Only the dimensions that were grouped by are set; texts
// are empty, and Value is nil, also where the platform says nothing.
type PlatformRow struct {
	Day         Day
	App         link.AppID
	Framework   string
	Network     string
	Source      string
	Conversion  string
	Interaction string
	Sequence    int
	Value       *int
	CoarseValue string
	Country     string

	Conversions int64 // that the network earned
	Assists     int64 // that another one earned
	Updates     int64 // what the apps told later
}
