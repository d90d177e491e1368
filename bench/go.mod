module github.com/filemap-go/filemap/bench

go 1.26.0

require (
	github.com/edsrzf/mmap-go v1.2.0
	github.com/filemap-go/filemap v0.0.0
	golang.org/x/exp v0.0.0-20261014143641-f0251eb4aa3e
	golang.org/x/sys v0.49.0
)

require (
	github.com/HdrHistogram/hdrhistogram-go v1.4.0
	github.com/gofrs/flock v0.13.2
)

require gonum.org/v1/gonum v0.17.0 // indirect

replace github.com/filemap-go/filemap => ../
