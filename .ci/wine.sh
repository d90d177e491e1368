# To be sourced by a shell that then runs Windows programs with wine:
#
#	. .ci/wine.sh
#	GOOS=windows CGO_ENABLED=0 go test -exec wine ./...
#
# Uses the Wine prefix $WINEPREFIX, made if it is missing; without that
# variable, a new one that goes when the shell exits. Needs Debian's packages
# wine, wine64 and gcc-mingw-w64-x86-64.

if [ -z "${WINEPREFIX:-}" ]; then
  wine_scratch=$(mktemp -d)
  export WINEPREFIX=$wine_scratch/prefix
  trap 'wineserver -k || true; rm -rf "$wine_scratch"' EXIT
fi
export WINEARCH=win64 WINEDEBUG=-all 'WINEDLLOVERRIDES=mscoree,mshtml=;winemenubuilder.exe=d'
unset DISPLAY

wine_prng=$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll
if [ ! -e "$wine_prng" ]; then
  wine wineboot --init </dev/null >/dev/null 2>&1
  wineserver -w
  x86_64-w64-mingw32-gcc -shared -O2 -s -o "$wine_prng" \
    "$(dirname "${BASH_SOURCE[0]}")/prng.c" -ladvapi32
fi

# Wine's services start with the first program and inherit its output. If that
# were a test's, `go test` would wait for them: so they start here, detached,
# with a server that outlives the programs.
wineserver -p3600 </dev/null >/dev/null 2>&1 || true # there may be one already
wine hostname </dev/null >/dev/null 2>&1
