# shellcheck shell=bash
# What each command needs from Debian, and how the missing is installed.

debian_version() { sed -n 's/^VERSION_ID="\{0,1\}\([0-9]*\).*/\1/p' /etc/os-release; }

# Boost's packages carry their version in the name: 1.81 on Debian 12, 1.83 on Debian 13.
boost_version() { if [ "$(debian_version)" = 12 ]; then echo 1.81; else echo 1.83; fi; }

packages_build=(g++ cmake ninja-build ccache libfmt-dev libcli11-dev "libboost$(boost_version)-dev")
packages_test=("${packages_build[@]}" pkg-config libgtest-dev libgmock-dev python3)
packages_clang=("${packages_test[@]}" clang-19 libclang-rt-19-dev llvm-19)
packages_format=(clang-format-19)
packages_lint=("${packages_clang[@]}" clang-format-19 clang-tidy-19 shellcheck)
packages_docs=(doxygen)
packages_cross=("${packages_test[@]}" g++-aarch64-linux-gnu qemu-user googletest)

packages_bench() {
    printf '%s\n' "${packages_build[@]}" libbenchmark-dev libtbb-dev \
        "libboost-serialization$(boost_version)-dev" "libboost-thread$(boost_version)-dev" \
        libcereal-dev python3
}

missing_packages() {
    local name
    for name; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
    done
}

need_packages() {
    local missing as_root=()
    if ! command -v apt-get >/dev/null; then
        echo "no apt-get here: taking it that these are installed: $*"
        return
    fi
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    echo "missing here, installed now: ${missing[*]}"
    if [ "$EUID" -ne 0 ]; then
        command -v sudo >/dev/null ||
            fail "not root and no sudo; as root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3
        -o DPkg::Lock::Timeout=300)
    step "apt-get update" "${as_root[@]}" update
    step "apt-get install" "${as_root[@]}" install -y --no-install-recommends "${missing[@]}"
}
