#include "map_inputs.hpp"

#include <array>
#include <iterator>
#include <system_error>
#include <utility>

namespace map {

Source::Source(std::vector<std::string> list)
    : items_(std::make_move_iterator(list.begin()), std::make_move_iterator(list.end())) {}

Source::Source(File file, std::string name, char delimiter)
    : file_(std::move(file)), name_(std::move(name)), delimiter_(delimiter), is_at_end_(false) {}

Source::State Source::look() {
    while (items_.empty()) {
        if (is_at_end_) return State::ended;
        if (!is_readable(file_.fd())) return State::waiting;
        const std::size_t size_before = begun_.size();
        std::array<char, 65536> block;
        const std::optional<std::size_t> size = read_now(file_.fd(), block);
        if (!size) return State::waiting;
        is_at_end_ = *size == 0;
        begun_.append(block.data(), *size);
        cut(size_before);
    }
    return State::ready;
}

/// Takes the whole lines off what was read; before `from` there is no end of one.
void Source::cut(std::size_t from) {
    std::size_t begin = 0;
    for (std::size_t end = begun_.find(delimiter_, from); end != std::string::npos;
         end = begun_.find(delimiter_, begin)) {
        items_.push_back(begun_.substr(begin, end - begin));
        begin = end + 1;
    }
    begun_.erase(0, begin);
    if (is_at_end_ && !begun_.empty()) items_.push_back(std::exchange(begun_, {}));
}

std::string Source::next() {
    std::string item = std::move(items_.front());
    items_.pop_front();
    return item;
}

std::vector<std::string> Source::rest() {
    std::vector<std::string> all;
    for (State state = look(); state != State::ended; state = look()) {
        if (state == State::ready) {
            all.push_back(next());
        } else {
            Poller poller;
            poller.add(file_.fd(), 0);
            (void)poller.wait(std::nullopt);
        }
    }
    return all;
}

Inputs::Inputs(std::vector<Source> sources, std::size_t at_once)
    : sources_(std::move(sources)), at_once_(at_once) {
    for (std::size_t i = 1; i < sources_.size(); ++i) {
        others_.push_back(sources_[i].rest());
        combinations_ *= others_.back().size();
    }
    combination_ = combinations_;
}

Inputs::State Inputs::look() {
    if (combinations_ == 0) return State::ended;
    if (combination_ < combinations_) return State::ready;
    for (;;) {
        if (group_.size() == at_once_) return State::ready;
        const State state = sources_.front().look();
        if (state == State::waiting) return state;
        if (state == State::ended) return group_.empty() ? state : State::ready;
        if (others_.empty()) {
            group_.push_back(sources_.front().next());
        } else {
            first_ = sources_.front().next();
            combination_ = 0;
            return State::ready;
        }
    }
}

std::vector<std::string> Inputs::next() {
    if (others_.empty()) return std::exchange(group_, {});
    std::vector<std::string> job(others_.size() + 1);
    job[0] = *first_;
    std::size_t rest = combination_++;
    for (std::size_t i = others_.size(); i-- > 0;) {
        job[i + 1] = others_[i][rest % others_[i].size()];
        rest /= others_[i].size();
    }
    return job;
}

std::size_t Inputs::load() {
    std::vector<std::string> all = sources_.front().rest();
    const std::size_t count =
        others_.empty() ? (all.size() + at_once_ - 1) / at_once_ : all.size() * combinations_;
    sources_.front() = Source(std::move(all));
    return count;
}

}  // namespace map
