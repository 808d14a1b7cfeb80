//go:build services

package store

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"stump/internal/hub/hubtest"
)

// BenchmarkAppend is an event of each of 300 stations, without the network.
func BenchmarkAppend(b *testing.B) {
	for _, labs := range []int{1, 300} {
		b.Run(fmt.Sprintf("labs=%d", labs), func(b *testing.B) {
			x := newSite(b)
			var ids []int64
			for i := range labs {
				id, err := x.Lab(b.Context(), fmt.Sprint("lab-", i), true)
				x.ok(err)
				ids = append(ids, id)
			}
			var all []*member
			for i := range 300 {
				x.lab = ids[i%labs]
				all = append(all, x.join(hubtest.New(fmt.Sprint("station-", i), time.Now())))
			}
			var next atomic.Int64
			b.SetParallelism(300 / 2)
			b.ResetTimer()
			b.RunParallel(func(p *testing.PB) {
				m := all[next.Add(1)%300]
				for p.Next() {
					m.Bump("device-"+m.Name, "ann", "", none)
					if _, err := m.Append(b.Context(), m.from, m.Next(len(m.Records)-1, 0)); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
