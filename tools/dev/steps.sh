# shellcheck shell=bash
# One line of output a step; what the step says goes to a log, which is shown when it fails.

log_folder=build/log
jobs=$(nproc)  # what taskset leaves us, not what the machine has

fail() {
    printf './dev: %s\n' "$1" >&2
    exit 1
}

log_name() {  # the log of a step of that name
    printf '%s/%s.log' "$log_folder" "$(tr -cs 'a-zA-Z0-9\n' '-' <<<"$1")"
}

now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

seconds_since() {  # seconds_since <ms>: seconds with one decimal
    local tenths=$((($(now_ms) - $1 + 50) / 100))
    printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

step() {  # step <what> <command...>
    local what=$1 log start status=0
    shift
    mkdir -p "$log_folder"
    log=$(log_name "$what")
    start=$(now_ms)
    printf '%-52s' "$what"
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if [ "$status" -eq 0 ]; then
        printf ' %8s s\n' "$(seconds_since "$start")"
    else
        printf ' failed (%d) after %s s\n' "$status" "$(seconds_since "$start")"
        show_failure "$log"
    fi
    return "$status"
}

# A build goes on for a while after its first failure, which is what one wants to see.
show_failure() {
    if grep -q '^FAILED: ' "$1"; then
        printf -- '--- from %s\n' "$1"
        sed -n '/^FAILED: /,$p' "$1" | grep -vE '^\[[0-9]+/[0-9]+\] ' | head -n 150
    else
        printf -- '--- the end of %s\n' "$1"
        tail -n 100 "$1"
    fi
    printf -- '---\n'
}

# Runs a step whose failure must not end the script: stage <command...> gives its status in
# stage_status. A subshell, because bash ignores set -e within conditions.
stage() {
    set +e
    (
        set -e
        "$@"
    )
    stage_status=$?
    set -e
}
