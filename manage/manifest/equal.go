package manifest

import (
	"reflect"
	"slices"

	"waypost/link"
)

// equal reports whether two things are the same to everyone who reads them:
// an empty list or map is as good as none, and grants and the apps of partners
// are sets, which a store may return in another order.
func equal[T any](a, b T) bool {
	return same(reflect.ValueOf(sorted(any(a))), reflect.ValueOf(sorted(any(b))))
}

// sorted returns a copy of the thing with its sets in one order.
func sorted(thing any) any {
	switch t := thing.(type) {
	case link.Token:
		t.Grants = slices.Clone(t.Grants)
		for i := range t.Grants {
			t.Grants[i].AppGroups = slices.Clone(t.Grants[i].AppGroups)
			slices.Sort(t.Grants[i].AppGroups)
		}
		slices.SortFunc(t.Grants, func(a, b link.Grant) int { return int(a.Account) - int(b.Account) })
		return t
	case link.Partner:
		t.ConfiguredFor = slices.Clone(t.ConfiguredFor)
		slices.SortFunc(t.ConfiguredFor, func(a, b link.PartnerApp) int { return int(a.App) - int(b.App) })
		return t
	}
	return thing
}

func same(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() && b.IsNil()
		}
		return same(a.Elem(), b.Elem())
	case reflect.Map:
		if a.Len() != b.Len() {
			return false
		}
		for _, key := range a.MapKeys() {
			other := b.MapIndex(key)
			if !other.IsValid() || !same(a.MapIndex(key), other) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}
