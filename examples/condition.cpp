// A place for one letter: who writes waits until it is free, who reads until there is one.

#include <cstdio>
#include <optional>
#include <string>

#include <weft/threading.hpp>

using namespace weft;

class Letterbox {
public:
    void put(char letter) {
        threading::Guard held(changed_);
        changed_.wait_for([&] { return !letter_.has_value(); });
        letter_ = letter;
        changed_.notify_all();
    }
    char get() {
        threading::Guard held(changed_);
        changed_.wait_for([&] { return letter_.has_value(); });  // lets the lock go while it waits
        const char letter = *letter_;
        letter_.reset();
        changed_.notify_all();
        return letter;
    }

private:
    threading::Condition changed_;
    std::optional<char> letter_;
};

int main() {
    Letterbox box;
    threading::Joining writer(threading::Thread([&] {
        for (const char each : std::string("thread")) box.put(each);
    }));
    std::string word;
    for (int i = 0; i < 6; ++i) word += box.get();
    std::printf("%s\n", word.c_str());
    return word == "thread" ? 0 : 1;
}
