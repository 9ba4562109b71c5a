// What Clang's thread-safety analysis has nothing to say about: every lock of threading used well.

#include <mutex>

#include <weft/threading.hpp>

namespace {

using namespace weft;

class Account {
public:
    void deposit(long amount) {
        threading::Guard held(lock_);
        balance_ += amount;
    }
    void withdraw(long amount) WEFT_REQUIRES(lock_) { balance_ -= amount; }
    bool try_to_deposit(long amount) {
        if (!lock_.try_lock()) return false;
        balance_ += amount;
        lock_.unlock();
        return true;
    }
    void spend() {
        lock_.acquire();
        withdraw(1);
        lock_.release();
    }
    void in_turn() {
        threading::Guard one(permit_);
        ++turns_;
    }

private:
    threading::Lock lock_;
    long balance_ WEFT_GUARDED_BY(lock_) = 0;
    threading::BoundedSemaphore permit_;
    int turns_ WEFT_GUARDED_BY(permit_) = 0;
};

class Mailbox {
public:
    void put() {
        threading::Guard held(changed_);
        ++letters_;
        changed_.notify();
    }
    void get() {
        threading::Guard held(changed_);
        while (letters_ == 0) changed_.wait();
        --letters_;
    }

private:
    threading::Condition changed_;
    int letters_ WEFT_GUARDED_BY(changed_) = 0;
};

}  // namespace

int main() {
    Account account;
    account.deposit(3);
    account.spend();
    account.in_turn();
    Mailbox mailbox;
    mailbox.put();
    mailbox.get();
    // A semaphore's permits may come from and go to other threads.
    threading::Semaphore parts(0);
    parts.release(2);
    parts.acquire();
    return account.try_to_deposit(1) ? 0 : 1;
}
