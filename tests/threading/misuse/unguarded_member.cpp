#include <weft/threading.hpp>

// What a lock guards is changed without it.
class Account {
public:
    void deposit(long amount) { balance_ += amount; }

private:
    weft::threading::Lock lock_;
    long balance_ WEFT_GUARDED_BY(lock_) = 0;
};

int main() {
    Account().deposit(1);
}
