module github.com/filemap-go/filemap/test

go 1.26.0

require github.com/filemap-go/filemap v0.0.0

replace github.com/filemap-go/filemap => ../
