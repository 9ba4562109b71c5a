#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace weft::test {

/// What a case can leave behind.
enum class Leftover { thread, process, descriptor, segment, file };

/// Lets the running case leave things of this kind behind, for the reason given, which is printed.
void allow_leftover(Leftover kind, std::string_view reason);

/// Fails a case that leaves something behind: a thread, a child process, an open or a wrongly
/// closed descriptor, a file in /dev/shm that no other process uses, or a file in the program's own
/// temporary directory. Leftover files and processes are removed, so that the next case is judged
/// by its own.
///
/// A thread that was joined may be seen for a moment longer: the check waits up to a second, times
/// slowness(), for it to go.
class Leaks : public testing::EmptyTestEventListener {
public:
    /// `temporary_directory` is the directory that this program has for itself.
    explicit Leaks(std::string temporary_directory);

    void OnTestStart(const testing::TestInfo& info) override;
    void OnTestEnd(const testing::TestInfo& info) override;

private:
    struct State {
        std::set<int> threads;
        std::set<int> processes;
        std::map<int, std::string> descriptors;
        std::set<std::string> segments;
        std::set<std::string> files;
    };

    [[nodiscard]] State look() const;
    void check_threads();
    void check_processes(const State& now);
    void check_descriptors(const State& now);
    void check_segments(const State& now);
    void check_files(const State& now);

    std::string temporary_directory_;
    State before_;
};

/// A directory of this program's own, which TMPDIR names as long as this lives; removed with
/// everything in it by the destructor.
class TemporaryHome {
public:
    TemporaryHome();
    ~TemporaryHome();
    TemporaryHome(const TemporaryHome&) = delete;
    TemporaryHome& operator=(const TemporaryHome&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

}  // namespace weft::test
