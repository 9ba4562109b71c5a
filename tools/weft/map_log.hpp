#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

#include "map_system.hpp"

namespace map {

/// One attempt at a job, when it is over.
struct Record {
    std::size_t number = 0;
    std::size_t place = 0;
    std::chrono::system_clock::time_point begin{};
    Clock::time_point started{};
    Clock::duration length{};
    std::uint64_t received = 0;  ///< bytes of standard output
    int status = 0;              ///< -1: stopped by us
    int signal = 0;
    std::string command{};
};

/// GNU parallel's --joblog: one line a job, in the order in which they end, each written at once.
class JobLog {
public:
    enum class Resume { no, all, failed };
    /// Without `resume` an existing file is emptied. With it, an end without an end of line (the
    /// program was killed while it wrote) is cut off. Throws `std::system_error`.
    JobLog(const std::string& path, Resume resume);

    /// True for a job that the log has, in the sense of `resume`.
    [[nodiscard]] bool has(std::size_t number) const { return done_.contains(number); }
    /// Throws `std::system_error`; the file then ends where it ended before, as far as the system
    /// lets it.
    void write(const Record& record);

private:
    void read(Resume resume);
    void read_line(std::string_view line, Resume resume);
    void append(const std::string& line);

    File file_;
    std::string path_;
    std::unordered_set<std::size_t> done_;
};

/// What ran when and where, for Chrome's and Perfetto's viewers: one event an attempt. The file can
/// be opened there also when it was not finished.
class Timeline {
public:
    explicit Timeline(const std::string& path);
    ~Timeline();
    Timeline(const Timeline&) = delete;
    Timeline& operator=(const Timeline&) = delete;

    void write(const Record& record, std::size_t attempt, const char* outcome);
    /// Throws `std::system_error` when something could not be written.
    void finish();

private:
    File file_;
    std::string path_;
    Clock::time_point begin_ = Clock::now();
    std::string buffer_;
    bool is_first_ = true;
    bool is_finished_ = false;
    int error_ = 0;
};

}  // namespace map
