# shellcheck shell=bash
# Building, and running tests, sanitizers, fuzzers, benchmarks and the checks of form.

# Where each suite leaves a line: name, passed, failed, seconds. A caller may name a file of its own.
results=${WEFT_RESULTS:-$log_folder/results.tsv}

build_preset() {  # build_preset <preset> [target...]
    local preset=$1
    shift
    step "configure $preset" cmake --preset "$preset"
    step "build $preset" cmake --build --preset "$preset" -j "$jobs" ${1:+--target "$@"}
}

build_for_use() {
    case $1 in
        release | debug) need_packages "${packages_test[@]}" ;;
        asan-ubsan | tsan | clang) need_packages "${packages_clang[@]}" ;;
        *) misused "no preset '$1'" ;;
    esac
    build_preset "$1"
}

record() {  # record <suite> <passed> <failed> <seconds>
    mkdir -p "$(dirname "$results")"
    printf '%s\t%s\t%s\t%s\n' "$@" >>"$results"
}

# run_suite <title> <preset> <ctest arguments...>: the tests, and then ctest's own summary.
run_suite() {
    local title=$1 preset=$2 start status=0 log passed=0 failed=1 total
    shift 2
    start=$(now_ms)
    log=$(log_name "$title")
    ctest_quietly "$log" "$title" --test-dir "build/$preset" -j "$jobs" --output-on-failure \
        --no-label-summary --no-tests=error "$@" || status=$?
    sed -n '/^[0-9]*% tests passed/,$p' "$log" | sed '/^Errors while running/d'
    if read -r failed total < <(sed -nE \
        's/^[0-9]+% tests passed, ([0-9]+) tests? failed out of ([0-9]+)/\1 \2/p' "$log"); then
        passed=$((total - failed))
    fi
    record "$title" "$passed" "$failed" "$(seconds_since "$start")"
    return "$status"
}

passed_lines='^(Internal ctest|Test project| *Start +[0-9]+:| *[0-9]+/[0-9]+ Test .*(Passed|\*\*\*Skipped) )'

ctest_quietly() {  # ctest_quietly <log> <title> <ctest arguments...>
    local log=$1 title=$2 start status=0
    shift 2
    mkdir -p "$log_folder"
    start=$(now_ms)
    printf '%-52s' "$title"
    ctest "$@" >"$log" 2>&1 </dev/null || status=$?
    printf ' %8s s\n' "$(seconds_since "$start")"
    # What failed is shown with its output; the passed lines stay in the log.
    [ "$status" -eq 0 ] || grep -vE "$passed_lines" "$log" |
        sed '/^[0-9]*% tests passed/,$d' | tail -n 300
    return "$status"
}

filter_or() {  # filter_or <filter> <ctest arguments...>: a filter chooses by name, whatever the kind
    if [ -n "$1" ]; then
        printf '%s\n' -R "$1"
    else
        shift
        printf '%s\n' "$@"
    fi
}

test_release() {
    local chosen
    mapfile -t chosen < <(filter_or "${1:-}" -L '^quick$')
    need_packages "${packages_test[@]}"
    build_preset release
    run_suite "${WEFT_SUITE_TITLE:-quick tests}" release "${chosen[@]}"
}

# Not the checks of the tree, nor the model, which has a scheduler of its own, nor the replayed inputs.
test_one_processor() {
    need_packages "${packages_test[@]}" util-linux
    build_preset release
    jobs=1
    taskset -cp 0 "$BASHPID" >/dev/null
    run_suite "${WEFT_SUITE_TITLE:-quick tests on one processor}" release \
        -L '^quick$' -LE '^(house|misuse|model|fuzz)$'
}

sanitizer_options() {
    local symbolizer
    symbolizer=$(command -v llvm-symbolizer-19 || true)
    export ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1:${ASAN_OPTIONS:-}"
    export UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"
    export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:${TSAN_OPTIONS:-}"
    export ASAN_SYMBOLIZER_PATH=$symbolizer TSAN_SYMBOLIZER_PATH=$symbolizer \
        UBSAN_SYMBOLIZER_PATH=$symbolizer
}

test_asan() {
    local chosen
    # What must not compile has been refused without sanitizers already.
    mapfile -t chosen < <(filter_or "${1:-}" -L '^quick$' -LE '^misuse$')
    need_packages "${packages_clang[@]}"
    build_preset asan-ubsan
    sanitizer_options
    run_suite "${WEFT_SUITE_TITLE:-address and undefined-behaviour sanitizers}" asan-ubsan "${chosen[@]}"
}

test_tsan() {
    local chosen
    mapfile -t chosen < <(filter_or "${1:-}" -L '^threads$' -LE '^stress$')
    need_packages "${packages_clang[@]}"
    build_preset tsan
    sanitizer_options
    run_suite "${WEFT_SUITE_TITLE:-thread sanitizer}" tsan "${chosen[@]}"
    echo "Left out, because they fork while threads run, which the thread sanitizer cannot follow, or"
    echo "bring an operator new of their own: $(tr '\n' ' ' <build/tsan/tests/left_out.txt)"
}

fuzz_one() {  # fuzz_one <name> <seconds>
    local dictionary=()
    mkdir -p "build/fuzz/$1/found" "build/fuzz/$1/corpus"
    [ ! -f "fuzz/dictionaries/$1.dict" ] || dictionary=("-dict=fuzz/dictionaries/$1.dict")
    "build/asan-ubsan/fuzz/$1" -max_total_time="$2" -timeout=20 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="build/fuzz/$1/found/" "${dictionary[@]}" \
        "build/fuzz/$1/corpus" "fuzz/corpus/$1" >"$(log_name "fuzz $1")" 2>&1 </dev/null
}

run_fuzzers() {  # run_fuzzers <seconds> [name]
    local seconds=$1 only=${2:-} name names batch pids i status start passed=0 failed=0
    need_packages "${packages_clang[@]}"
    build_preset asan-ubsan weft_fuzzers
    sanitizer_options
    mapfile -t names < <(grep -x -- "${only:-.*}" build/asan-ubsan/fuzz/fuzzers.txt | sed '/^$/d')
    [ "${#names[@]}" -gt 0 ] || [ -z "$only" ] || fail "no fuzzer is called $only"
    start=$(now_ms)
    # As many at a time as there are processors: each takes the same time.
    for ((i = 0; i < ${#names[@]}; i += jobs)); do
        batch=("${names[@]:i:jobs}")
        pids=()
        for name in "${batch[@]}"; do
            fuzz_one "$name" "$seconds" &
            pids+=($!)
        done
        for name in "${batch[@]}"; do
            status=0
            wait "${pids[0]}" || status=$?
            pids=("${pids[@]:1}")
            if [ "$status" -eq 0 ]; then
                passed=$((passed + 1))
            else
                failed=$((failed + 1))
                printf 'fuzz %s failed (%d)\n' "$name" "$status"
                show_failure "$(log_name "fuzz $name")"
            fi
        done
    done
    echo "fuzzers, $seconds s each: $passed passed, $failed failed"
    record "fuzzers" "$passed" "$failed" "$(seconds_since "$start")"
    [ "$failed" -eq 0 ]
}

run_benchmarks() {
    local name packages
    mapfile -t packages < <(packages_bench)
    need_packages "${packages[@]}"
    build_preset bench
    while read -r name; do
        printf '\n%s\n' "$name"
        "build/bench/bench/$name" ${1:+--benchmark_filter="$1"}
    done < <(sed '/^$/d' build/bench/bench/benchmarks.txt)
}

cxx_files() { find include src tests bench examples fuzz tools -name '*.[ch]pp' | sort; }

format_files() {
    need_packages "${packages_format[@]}"
    cxx_files | xargs clang-format-19 -i
    echo "formatted"
}

check_format() {
    need_packages "${packages_format[@]}"
    step "formatting" check_format_of_files
}

check_format_of_files() { cxx_files | xargs clang-format-19 --dry-run -Werror; }

# The parts under tools/dev are read through dev, which sources them.
check_shell() { shellcheck -a -x dev .ci/run; }

tidy() {
    find src tools examples -name '*.cpp' -print0 | sort -z |
        xargs -0 -n 1 -P "$jobs" clang-tidy-19 -p build/clang --quiet
}

lint() {
    local failed=0
    need_packages "${packages_lint[@]}"
    step "the order of the house" python3 -B tests/house/floors.py || failed=1
    step "formatting" check_format_of_files || failed=1
    step "shellcheck" check_shell || failed=1
    step "configure clang" cmake --preset clang || failed=1
    step "clang-tidy" tidy || failed=1
    return "$failed"
}

build_docs() {
    local awesome=/usr/share/doxygen-awesome-css packages=("${packages_docs[@]}")
    # Debian 12 may have the style sheet or not: the pages are the same without it.
    if apt-cache show doxygen-awesome-css >/dev/null 2>&1; then packages+=(doxygen-awesome-css); fi
    need_packages "${packages[@]}"
    mkdir -p build/docs
    {
        echo "@INCLUDE = docs/Doxyfile"
        [ ! -d "$awesome" ] || echo "HTML_EXTRA_STYLESHEET = $awesome/doxygen-awesome.css"
    } >build/docs/Doxyfile
    step "doxygen" doxygen build/docs/Doxyfile
    echo "build/docs/html/index.html"
}
