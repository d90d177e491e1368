module github.com/filemap-go/filemap/cmd/filemap

go 1.26.0

require github.com/filemap-go/filemap v0.0.0
