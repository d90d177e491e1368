module github.com/filemap-go/filemap/test

go 1.26.0

require (
	github.com/anishathalye/porcupine v1.3.1
	github.com/filemap-go/filemap v0.0.0
	pgregory.net/rapid v1.3.0
)

require (
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/filemap-go/filemap => ../
