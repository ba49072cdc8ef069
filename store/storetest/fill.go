package storetest

import (
	"fmt"
	"reflect"
	"time"

	"waypost/internal/device"
)

// filler sets every field of a value to something that is not zero, each text
// and number different, so that a field which a store forgets or exchanges for
// another is seen. It panics at a kind it does not know: teach it.
type filler struct{ n int }

func (f *filler) fill(v reflect.Value) {
	f.n++
	if v.Type() == reflect.TypeFor[device.Platform]() {
		v.Set(reflect.ValueOf(device.Platforms()[f.n%len(device.Platforms())]))
		return
	}
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(now.Add(time.Duration(f.n) * time.Millisecond)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text-%d <é>", f.n))
	case reflect.Int64:
		v.SetInt(int64(1_000_000 + f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(v.Index(0))
		f.fill(v.Index(1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			f.fill(key)
			f.fill(value)
			v.SetMapIndex(key, value)
		}
	default:
		panic("storetest: fill does not know " + v.Type().String())
	}
}

// zeroField names a field of a struct that is zero, or returns "".
func zeroField(v reflect.Value, path string) string {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			break // its fields are its own
		}
		for i := range v.NumField() {
			if name := zeroField(v.Field(i), path+"."+v.Type().Field(i).Name); name != "" {
				return name
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			return zeroField(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			if name := zeroField(v.Index(i), path); name != "" {
				return name
			}
		}
	}
	if v.IsZero() {
		return path
	}
	return ""
}
