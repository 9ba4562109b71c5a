#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include <weft/detail/config.hpp>

namespace weft::detail {

/// What is known of places in the program's code; lives to the end of the process.
class CodePlaces {
public:
    virtual std::string_view name(const void* function) const = 0;
    virtual std::string_view filename(const void* function) const = 0;
    virtual int lineno(const void* function) const = 0;

protected:
    ~CodePlaces() = default;
};

struct FrameAccess;

}  // namespace weft::detail

namespace weft::threading {

/// What happened: a function was called, or is about to return.
enum class TraceEvent : std::uint8_t { call, return_ };

/// A function that is being called or is returning, as hooks are told of it. A small value: it may
/// be copied, kept and asked later, by any thread, as long as the library with the function is
/// loaded.
class Frame {
public:
    /// Where the function's code begins. The same for each call of it.
    [[nodiscard]] const void* function() const noexcept { return function_; }
    /// To where in the caller it returns.
    [[nodiscard]] const void* call_site() const noexcept { return call_site_; }
    /// The thread that called it: its `get_ident()`.
    [[nodiscard]] std::uint64_t thread_ident() const noexcept { return thread_ident_; }

    /// The function's name as in the source, with its arguments' types; what the symbol table does
    /// not know is given as `library+0x1f0`. This and the two below are looked up when they are
    /// first asked for, which may read the symbols of a whole library, and remembered; what they
    /// return lives to the end of the process. Throw `std::bad_alloc`.
    [[nodiscard]] std::string_view name() const { return places_->name(function_); }
    /// The file it is defined in, as the compiler has recorded it; empty without debug information
    /// (`-g1` is enough).
    [[nodiscard]] std::string_view filename() const { return places_->filename(function_); }
    /// The line where its body begins; 0 when it is not known.
    [[nodiscard]] int lineno() const { return places_->lineno(function_); }

private:
    friend struct weft::detail::FrameAccess;

    Frame(const void* function, const void* call_site, std::uint64_t thread_ident,
          const weft::detail::CodePlaces& places) noexcept
        : function_(function),
          call_site_(call_site),
          thread_ident_(thread_ident),
          places_(&places) {}

    const void* function_;
    const void* call_site_;
    std::uint64_t thread_ident_;
    const weft::detail::CodePlaces* places_;
};

/// What settrace() and setprofile() take: called on the thread that calls or returns. May be called
/// by several threads at once.
using TraceFunction = std::function<void(const Frame& frame, TraceEvent event)>;

/// Has `func` called for each call and return of functions that were compiled with
/// `-finstrument-functions`, in every thread that is started from now on by threading::Thread and
/// what is built on it. The program must link `weft::trace`; without it nothing is called. Threads
/// that run already, the calling one included, go on as they were; <weft/trace.hpp> has the same
/// for the calling thread alone. An empty function ends it for threads started later.
///
/// While a hook runs, what its thread calls is not traced. A hook that throws is taken from its
/// thread, and the exception goes to `weft::unraisablehook`: unlike Python's it cannot be thrown on
/// through the function that was called, which may be noexcept. A hook must not end its thread. It
/// is called in any place where the program calls a function, perhaps with locks of the program's
/// held, so it should take none of these. Nothing is called once the program has ended its threads
/// and destroys its static objects.
///
/// A function that was replaced is destroyed when the last thread has let go of it: at its next
/// call that is traced, or at its end. Until then it may still be running in another thread, also
/// when the call that replaced it has returned: what it refers to must belong to it (a
/// `std::shared_ptr`), or outlive those threads.
///
/// Unlike Python there are no events for lines and exceptions, and no function for one scope: a
/// trace function and a profile function are told of the same, the trace function first.
/// Throws `std::bad_alloc`, and then nothing has changed.
WEFT_API void settrace(TraceFunction func);
WEFT_API void setprofile(TraceFunction func);

/// The same, and also in every thread that runs already: from its next call or return on. Unlike
/// Python this reaches also the threads that others (`std::thread`, `_thread`) start later, since
/// nobody tells when they started.
WEFT_API void settrace_all_threads(TraceFunction func);
WEFT_API void setprofile_all_threads(TraceFunction func);

/// What was set last by either of the forms above; empty when there is none. Throws what copying
/// the function throws.
[[nodiscard]] WEFT_API TraceFunction gettrace();
[[nodiscard]] WEFT_API TraceFunction getprofile();

}  // namespace weft::threading
