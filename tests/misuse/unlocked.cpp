// Reads what a lock guards without the lock, in the ways that WRONG numbers. Without WRONG, the same
// with the lock: Clang's thread-safety analysis has nothing to say.

#include <mutex>

#include <weft/threading/condition.hpp>
#include <weft/threading/lock.hpp>

namespace {

using namespace weft::threading;

class Account {
public:
    int balance() {
#if WRONG == 1
        return balance_;
#else
        const Guard held(lock_);
        return balance_;
#endif
    }

    void deposit(int amount) {
        lock_.acquire();
        balance_ += amount;
#if WRONG != 2
        lock_.release();
#endif
    }

    int reserve() WEFT_REQUIRES(rlock_) { return reserve_; }

    int total() {
#if WRONG != 3
        const Guard held(rlock_);
#endif
        return reserve();
    }

    bool wait() {
#if WRONG != 4
        const Guard held(changed_);
#endif
        return changed_.wait(0);
    }

    int try_balance() {
#if WRONG == 5
        (void)lock_.acquire(true, 0.5);
        const int seen = balance_;
        lock_.release();
        return seen;
#else
        if (!lock_.acquire(true, 0.5)) return 0;
        const int seen = balance_;
        lock_.release();
        return seen;
#endif
    }

private:
    Lock lock_;
    int balance_ WEFT_GUARDED_BY(lock_) = 0;
    RLock rlock_;
    int reserve_ WEFT_GUARDED_BY(rlock_) = 0;
    Condition changed_;
};

}  // namespace

int main() {
    Account account;
    account.deposit(1);
    return account.balance() + account.total() + account.try_balance() + (account.wait() ? 1 : 0);
}
