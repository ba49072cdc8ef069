package app

import (
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"

	"waypost/attribution"
	"waypost/internal/network"
)

// NetworkList is a file of addresses whose network is known.
type NetworkList struct {
	Network attribution.Network
	File    string
}

// ParseNetworkList reads "hosting=FILE".
func ParseNetworkList(text string) (NetworkList, error) {
	name, file, found := strings.Cut(text, "=")
	known := attribution.Networks()
	if !found || file == "" || !slices.Contains(known, attribution.Network(name)) {
		return NetworkList{}, fmt.Errorf("%q is not NETWORK=FILE, with one of %v as network", text, known)
	}
	return NetworkList{attribution.Network(name), file}, nil
}

// openNetworks reads the operator's lists, and returns what tells of an
// address which network it belongs to; nil without lists.
func openNetworks(lists []NetworkList, log *slog.Logger) (func(netip.Addr) string, error) {
	files := make([]network.List, len(lists))
	for i, l := range lists {
		files[i] = network.List{Name: string(l.Network), File: l.File}
	}
	table, err := network.Open(files)
	if err != nil {
		return nil, fmt.Errorf("cannot use --network-lists: %w", err)
	}
	if table == nil {
		return nil, nil
	}
	log.Info("read the lists of networks", "files", len(lists), "networks", table.Len())
	return table.Find, nil
}
