// A lock that its owner may take again: members that lock can call each other.

#include <cstdio>
#include <vector>

#include <weft/threading.hpp>

using namespace weft;

class Account {
public:
    void deposit(long amount) {
        threading::Guard held(lock_);
        balance_ += amount;
    }
    void deposit_all(const std::vector<long>& amounts) {
        threading::Guard held(lock_);  // nobody sees a part of it
        for (const long each : amounts) deposit(each);
    }
    long balance() {
        threading::Guard held(lock_);
        return balance_;
    }

private:
    threading::RLock lock_;
    long balance_ = 0;
};

int main() {
    Account account;
    {
        threading::Joining one(threading::Thread([&] { account.deposit_all({1, 2, 3}); }));
        threading::Joining other(threading::Thread([&] { account.deposit_all({10, 20}); }));
    }
    std::printf("balance: %ld\n", account.balance());
    return account.balance() == 36 ? 0 : 1;
}
