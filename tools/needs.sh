#!/bin/sh
# Installs, by package name, what is missing on Debian or Ubuntu: tools/needs.sh build | test
set -eu

# What it takes to build and run. The compiler is needed at run time too: workers compile events.c.
build='gcc libc6-dev make pkg-config libssl-dev zlib1g-dev libjansson-dev libinih-dev
       libhiredis-dev libsqlite3-dev libseccomp-dev'
# Only where apt knows them: without libnats [cluster] is refused, without the server its tests skip. Ubuntu has
# chromium as a snap alone, whose /tmp is not that of the tests: those in a browser take Google Chrome, or skip.
if_known=libnats-dev
# What the tests need on top of that; libzstd, since a static libcrypto wants it and libssl-dev does not bring it.
test='git g++ clang libcmocka-dev python3 python3-pytest python3-websockets curl openssl libnss3-tools
      ca-certificates procps iproute2 redis-server fonts-noto-cjk nginx-light libnginx-mod-stream nftables man-db locales
      libzstd-dev'
# clang's sanitizer and fuzzer runtime is a package of its own, named after the version.
clang_runtime() {
    version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\).*/\1/p' | head -n 1)
    if [ -n "$version" ] && apt-cache show "libclang-rt-$version-dev" >/dev/null 2>&1; then
        echo "libclang-rt-$version-dev"
    fi
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "needs.sh: to install packages, run this as root or install sudo" >&2
        exit 1
    fi
}

is_there() {
    dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

missing() {
    for package in "$@"; do
        # A node from elsewhere is as good as Debian's.
        case $package in
        nodejs) command -v node >/dev/null && continue ;;
        npm) command -v npm >/dev/null && continue ;;
        esac
        is_there "$package" || printf '%s ' "$package"
    done
}

install() {
    names=$(missing "$@")
    [ -z "$names" ] && return 0
    if ! command -v apt-get >/dev/null; then
        echo "needs.sh: this is not Debian or Ubuntu; please install the equivalents of: $names" >&2
        exit 1
    fi
    echo "Installing: $names"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $names >/dev/null ||
        {
            echo "needs.sh: apt-get could not install: $names" >&2
            exit 1
        }
}

known() {
    for package in "$@"; do
        # Of a name that others provide it shows nothing, and succeeds.
        [ -n "$(apt-cache show "$package" 2>/dev/null)" ] && printf '%s ' "$package"
    done
    return 0
}

case ${1:-} in
build) wanted=$build ;;
test) wanted="$build $test nodejs npm" if_known="$if_known nats-server chromium" ;;
*)
    echo "usage: tools/needs.sh build|test" >&2
    exit 2
    ;;
esac
if [ -n "$(missing $wanted $if_known)" ] && command -v apt-get >/dev/null; then
    as_root apt-get update -qq
fi
install $wanted $(known $if_known)
[ "$1" = test ] && install $(clang_runtime)
exit 0
