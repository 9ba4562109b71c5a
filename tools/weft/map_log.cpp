#include "map_log.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace map {

namespace {

constexpr std::string_view kHeading =
    "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

double seconds(auto duration) {
    return std::chrono::duration<double>(duration).count();
}

/// A field of a line, and removes it.
std::string_view take_field(std::string_view& line) {
    const std::size_t end = std::min(line.find('\t'), line.size());
    const std::string_view field = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return field;
}

template <class Number>
std::optional<Number> number_in(std::string_view field) {
    Number value{};
    const char* const end = field.data() + field.size();
    const auto result = std::from_chars(field.data(), end, value);
    if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
    return value;
}

/// The size of the character that the text begins with, if that is sound UTF-8; else 0.
std::size_t character_size(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    const std::size_t size = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
    if (size > text.size()) return 0;
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) return 0;
    }
    const bool is_overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
    const bool is_no_character =
        (lead == 0xED && byte(1) >= 0xA0) || (lead == 0xF4 && byte(1) >= 0x90);
    return is_overlong || is_no_character ? 0 : size;
}

std::string json_text(std::string_view text) {
    std::string result = "\"";
    while (!text.empty()) {
        const std::size_t size = character_size(text);
        const auto c = static_cast<unsigned char>(text.front());
        if (size == 0) {
            result += "\\ufffd";
        } else if (c == '"' || c == '\\') {
            result += '\\';
            result += text.front();
        } else if (c < 0x20) {
            result += fmt::format("\\u{:04x}", c);
        } else {
            result += text.substr(0, size);
        }
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return result + '"';
}

}  // namespace

// JobLog
// ----------------------------------------------------------------------------------------------

JobLog::JobLog(const std::string& path, Resume resume)
    : file_(open_to_append(path, resume == Resume::no)), path_(path) {
    if (resume != Resume::no) read(resume);
    const std::optional<std::uint64_t> size = size_of(file_.fd());
    if (!size || *size == 0) append(std::string(kHeading));
}

void JobLog::read(Resume resume) {
    const std::uint64_t size = size_of(file_.fd()).value_or(0);
    std::array<char, 65536> block;
    std::string line;
    std::uint64_t end_of_lines = 0;
    for (std::uint64_t at = 0; at < size;) {
        const auto piece =
            static_cast<std::size_t>(std::min<std::uint64_t>(size - at, block.size()));
        read_at(file_.fd(), std::span(block).first(piece), at);
        at += piece;
        std::string_view text(block.data(), piece);
        for (std::size_t end = text.find('\n'); end != std::string_view::npos;
             end = text.find('\n')) {
            line += text.substr(0, end);
            text.remove_prefix(end + 1);
            end_of_lines = at - text.size();
            read_line(line, resume);
            line.clear();
        }
        line += text;
    }
    if (line.empty()) return;
    const int error = cut_off(file_.fd(), end_of_lines);
    if (error != 0) {
        throw std::system_error(error, std::generic_category(),
                                fmt::format("cutting off the incomplete last line of '{}'", path_));
    }
}

void JobLog::read_line(std::string_view line, Resume resume) {
    const auto number = number_in<std::size_t>(take_field(line));
    if (!number) return;  // the heading
    for (int i = 0; i < 5; ++i) (void)take_field(line);
    const auto status = number_in<int>(take_field(line));
    const auto signal = number_in<int>(take_field(line));
    // A line that is not whole stands for nothing: the job runs again.
    if (!status || !signal) return;
    // A later line is of a later run.
    if (resume == Resume::all || (*status == 0 && *signal == 0)) {
        done_.insert(*number);
    } else {
        done_.erase(*number);
    }
}

void JobLog::append(const std::string& line) {
    const std::optional<std::uint64_t> before = size_of(file_.fd());
    const int error = write_all(file_.fd(), line);
    if (error == 0) return;
    // Half a line would be taken for a whole one together with the next.
    if (before) (void)cut_off(file_.fd(), *before);
    throw std::system_error(error, std::generic_category(), fmt::format("the job log '{}'", path_));
}

void JobLog::write(const Record& record) {
    std::string command = record.command;
    std::ranges::replace(command, '\n', '\0');
    append(fmt::format("{}\t:\t{:.3f}\t{:10.3f}\t0\t{}\t{}\t{}\t{}\n", record.number,
                       seconds(record.begin.time_since_epoch()), seconds(record.length),
                       record.received, record.status, record.signal, command));
}

// Timeline
// --------------------------------------------------------------------------------------------

Timeline::Timeline(const std::string& path) : file_(open_to_append(path, true)), path_(path) {}

Timeline::~Timeline() {
    if (!is_finished_) (void)write_all(file_.fd(), buffer_);
}

void Timeline::write(const Record& record, std::size_t attempt, const char* outcome) {
    constexpr std::size_t kMost = 65536;
    using std::chrono::duration_cast;
    using std::chrono::microseconds;
    buffer_ += std::exchange(is_first_, false) ? "[\n" : ",\n";
    buffer_ +=
        fmt::format(R"({{"name":{},"cat":"{}","ph":"X","pid":1,"tid":{},"ts":{},"dur":{},)"
                    R"("args":{{"job":{},"attempt":{},"status":{},"signal":{},"bytes":{}}}}})",
                    json_text(record.command), outcome, record.place,
                    duration_cast<microseconds>(record.started - begin_).count(),
                    duration_cast<microseconds>(record.length).count(), record.number, attempt,
                    record.status, record.signal, record.received);
    if (buffer_.size() < kMost) return;
    if (error_ == 0) error_ = write_all(file_.fd(), buffer_);
    buffer_.clear();
}

void Timeline::finish() {
    is_finished_ = true;
    buffer_ += is_first_ ? "[]\n" : "\n]\n";
    if (error_ == 0) error_ = write_all(file_.fd(), buffer_);
    if (error_ != 0) {
        throw std::system_error(error_, std::generic_category(),
                                fmt::format("the timeline '{}'", path_));
    }
}

}  // namespace map
