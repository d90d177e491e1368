//go:build ignore

// Typecheck reports whether the packages of this module, and of the command's,
// compile for targets such as linux/riscv64, as the compiler's front end sees it.
// Compiling the standard library for each of them would take minutes.
//
//	go run -modfile=tools.mod .ci/typecheck.go TARGET...
package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/tools/go/packages"
)

func main() {
	failed := false
	for _, target := range os.Args[1:] {
		problems, err := check(target)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", target, err)
		}
		failed = failed || problems > 0 || err != nil
	}
	if failed {
		os.Exit(1)
	}
}

// check prints what is wrong with the packages, and counts it.
func check(target string) (problems int, err error) {
	system, processor, _ := strings.Cut(target, "/")
	all, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps |
			packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedTypesSizes,
		Env: append(os.Environ(), "GOOS="+system, "GOARCH="+processor, "CGO_ENABLED=0", "GOWORK="),
	}, "./...", "./cmd/filemap")
	if err != nil {
		return 0, err
	}
	packages.Visit(all, nil, func(p *packages.Package) {
		for _, problem := range p.Errors {
			fmt.Fprintf(os.Stderr, "%s: %v\n", target, problem)
			problems++
		}
	})
	if len(all) == 0 {
		return 0, fmt.Errorf("no packages found")
	}
	return problems, nil
}
