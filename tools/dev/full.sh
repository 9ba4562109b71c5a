# shellcheck shell=bash
# `./dev test --full`: everything there is, stage by stage; a stage that fails does not stop the next.

report=docs/full-test.md

# run_full [filter]: with a filter, the stages whose titles match; the page keeps the others' last lines.
run_full() {
    local failed=0 only=${1:-} titles=()
    results=$log_folder/full.tsv
    mkdir -p "$log_folder"
    : >"$results"
    need_packages git util-linux "${packages_clang[@]}" "${packages_cross[@]}"

    full_stage "quick tests, g++, release" test_release
    full_stage "stress tests, g++, release" test_label release stress
    full_stage "strangers' projects" test_label release install
    full_stage "quick tests on one processor" test_one_processor
    full_stage "model, long searches" test_model_at_length
    full_stage "quick tests, g++, debug" test_preset debug
    full_stage "quick tests, g++, shared library" test_preset shared
    full_stage "quick tests, clang++-19" test_preset clang
    full_stage "quick tests, address and undefined-behaviour sanitizers" test_asan
    full_stage "stress tests, address and undefined-behaviour sanitizers" \
        test_sanitized_stress asan-ubsan
    full_stage "tests of threads, thread sanitizer" test_tsan
    full_stage "stress tests, thread sanitizer" test_sanitized_stress tsan
    full_stage "fuzzers" run_fuzzers "${WEFT_FUZZ_SECONDS:-180}"
    full_stage "quick tests, aarch64 under qemu-user" test_aarch64
    full_stage "members taken away, one after the other" test_mutants

    [ -s "$results" ] || fail "no stage of the full test matches '$only'"
    awk -F'\t' '$3 > 0 { bad = 1 } END { exit bad }' "$results" || failed=1
    awk -F'\t' '{ p += $2; f += $3 } END { printf "%d passed, %d failed\n", p, f }' "$results"
    write_report >"$log_folder/full-test.md"
    mv "$log_folder/full-test.md" "$report"
    echo "written to $report"
    return "$failed"
}

# full_stage <title> <command...>: a stage that ends without a line of its own counts as one failure.
full_stage() {
    local title=$1 lines start
    shift
    titles+=("$title")
    [[ $title =~ $only ]] || return 0
    lines=$(wc -l <"$results")
    start=$(now_ms)
    printf '\n== %s\n' "$title"
    export WEFT_SUITE_TITLE=$title
    stage "$@"
    if [ "$(wc -l <"$results")" -eq "$lines" ]; then
        record "$title" 0 1 "$(seconds_since "$start")"
    elif [ "$stage_status" -ne 0 ] && [ "$(tail -n 1 "$results" | cut -f 3)" = 0 ]; then
        record "$title: ended with status $stage_status" 0 1 0
    fi
}

test_label() {  # test_label <preset> <label>
    build_preset "$1"
    WEFT_STRESS=long run_suite "$WEFT_SUITE_TITLE" "$1" -L "^$2\$"
}

test_preset() {  # test_preset <preset>: its quick tests
    build_preset "$1"
    run_suite "$WEFT_SUITE_TITLE" "$1" -L '^quick$' -LE '^house$'
}

test_sanitized_stress() {  # test_sanitized_stress <preset>
    build_preset "$1"
    sanitizer_options
    run_suite "$WEFT_SUITE_TITLE" "$1" -L '^stress$'
}

# The model's searches as far as they go in some minutes, instead of some seconds.
test_model_at_length() {
    build_preset release
    WEFT_TEST_FULL=1 WEFT_TEST_BUDGET=1700 run_suite "$WEFT_SUITE_TITLE" release -L '^model$'
}

# As many covered members as are asked for, others every day.
test_mutants() {
    local log killed bad start status=0
    log=$(log_name "$WEFT_SUITE_TITLE")
    start=$(now_ms)
    step "$WEFT_SUITE_TITLE" python3 -B tests/house/mutate.py --jobs "$jobs" \
        --count "${WEFT_MUTANTS:-40}" --seed "$(date -u +%Y%m%d)" || status=$?
    read -r killed bad < <(sed -nE \
        's/^([0-9]+) killed, ([0-9]+) survived,.*, ([0-9]+) broken$/\1 \2 \3/p' "$log" |
        awk '{ print $1, $2 + $3 }') || return 1
    tail -n 1 "$log"
    record "$WEFT_SUITE_TITLE" "$killed" "$bad" "$(seconds_since "$start")"
    return "$status"
}

# qemu-user passes what a program starts to this machine's kernel, so child programs get the emulator
# by name.
beyond_qemu='AfterFork[.]|QueueFork[.]|/ForkOfAProgram[.]|/pthread_exit|ByPthreadExit'
beyond_qemu+='|/LeavesARunningProcess|[.]ThatDoesNotExistIsAnError|[.]LeavesNoTraceWhenTheSystemRefuses|^ExitLock[.]AThread(ThatWaits|ThatSleeps|IsHeldBack)'
beyond_qemu+='|[.]WaitsForTheSameWhereOnlyOneThreadGetsIntoExit/exit_of_a_thread_that'
test_aarch64() {
    build_preset aarch64
    export QEMU_LD_PREFIX=/usr/aarch64-linux-gnu WEFT_TEST_EMULATOR
    WEFT_TEST_EMULATOR=$(command -v qemu-aarch64)
    run_suite "$WEFT_SUITE_TITLE" aarch64 -L '^quick$' -LE '^misuse$' -E "^house[.]|$beyond_qemu"
}

# The lines of this run, and of the stages that it left out those which the page has.
report_lines() {
    local title when
    when="$(date -u +'%Y-%m-%d %H:%M') | $(git describe --always --abbrev=10 --dirty --exclude '*')"
    for title in "${titles[@]}"; do
        if [[ $title =~ $only ]]; then
            awk -F'\t' -v title="$title" -v when="$when" \
                'index($1, title) == 1 { printf "| %s | %s | %s | %s | %s |\n", $1, $2, $3, $4, when }' \
                "$results"
        else
            grep -F "| $title |" "$report" 2>/dev/null || printf '| %s | | | not run yet | |\n' "$title"
        fi
    done
}

write_report() {
    cat <<TEXT
# The last full test

Written by \`./dev test --full\`, which runs all of it, or renews the stages that it is given a pattern for.

- machine: $(uname -m), $(nproc) processors, Linux $(uname -r | sed 's/[^0-9.].*//'), $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)
- compilers: $(g++ --version | head -n 1); $(clang++-19 --version | head -n 1); $(aarch64-linux-gnu-g++ --version | head -n 1)

| stage | passed | failed | seconds | ended (UTC) | commit |
| --- | ---: | ---: | ---: | --- | --- |
TEXT
    report_lines | awk -F' *[|] *' '{ print; p += $3; f += $4; s += $5 }
        END { printf "| **all** | **%d** | **%d** | **%d** | | |\n", p, f, s }'
    cat <<TEXT

The seconds are those of the tests, without the builds but for the last stage's. Fork tests are left out under the thread
sanitizer, which cannot follow threads after a fork. Left out under qemu-user, which cannot follow a fork
beside other threads, or the end of the main thread alone, has calls by other numbers in /proc, and needs
more for itself than some tests allow: \`$beyond_qemu\`.
TEXT
}
