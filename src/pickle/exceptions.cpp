#include <weft/pickle/exceptions.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include <weft/pickle/functions.hpp>

#include "detail/describe.hpp"
#include "detail/fmt.hpp"
#include "pickle/entry_list.hpp"
#include "pickle/node.hpp"

namespace weft::pickle {

RemoteError::RemoteError(std::string type, std::string message, std::string trace)
    : Exception(message.empty() ? type : type + ": " + message),
      parts_(std::make_shared<const Parts>(
          Parts{std::move(type), std::move(message), std::move(trace)})) {}

RemoteError::~RemoteError() = default;

namespace {

/// What is nested in an exception.
std::exception_ptr nested_in(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const std::nested_exception& outer) {
        return outer.nested_ptr();
    } catch (...) {
        return nullptr;
    }
}

std::optional<RemoteError> as_remote(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const RemoteError& remote) {
        return remote;
    } catch (...) {
        return std::nullopt;
    }
}

}  // namespace

std::optional<RemoteError> remote_of(const std::exception_ptr& exception) {
    if (exception == nullptr) return std::nullopt;
    if (auto remote = as_remote(exception)) return remote;
    const std::exception_ptr nested = nested_in(exception);
    return nested == nullptr ? std::nullopt : as_remote(nested);
}

}  // namespace weft::pickle

namespace weft::pickle::detail {

namespace {

constexpr std::size_t kMostCauses = 100;
constexpr std::size_t kExceptionSize = 512;  ///< with the one nested in it, about
constexpr Name kRemoteName{"multiprocessing.managers", "RemoteError"};
constexpr char kCauseKey[] = "__cause__";
/// (type, message, trace) in C++; Python leaves the attribute alone.
constexpr char kOriginKey[] = "__weft__";

/// Other names under which Python has what we have under one: the subclasses of OSError, and where
/// TimeoutError was until Python 3.10.
struct Alias {
    std::string_view module;
    std::string_view name;
    std::string_view means;  ///< in builtins
};
constexpr std::array<Alias, 16> kAliases{
    {{"builtins", "BlockingIOError", "OSError"},
     {"builtins", "BrokenPipeError", "OSError"},
     {"builtins", "ChildProcessError", "OSError"},
     {"builtins", "ConnectionAbortedError", "OSError"},
     {"builtins", "ConnectionError", "OSError"},
     {"builtins", "ConnectionRefusedError", "OSError"},
     {"builtins", "ConnectionResetError", "OSError"},
     {"builtins", "FileExistsError", "OSError"},
     {"builtins", "FileNotFoundError", "OSError"},
     {"builtins", "IOError", "OSError"},
     {"builtins", "InterruptedError", "OSError"},
     {"builtins", "IsADirectoryError", "OSError"},
     {"builtins", "NotADirectoryError", "OSError"},
     {"builtins", "PermissionError", "OSError"},
     {"builtins", "ProcessLookupError", "OSError"},
     {"concurrent.futures._base", "TimeoutError", "TimeoutError"}}};

class Registry {
public:
    Registry() {
        add_standard<BaseException>("BaseException");
        add_standard<Exception>("Exception");
        add_standard<LookupError>("LookupError");
        add_standard<KeyError>("KeyError");
        add_standard<TypeError>("TypeError");
        add_standard<EOFError>("EOFError");
        add_standard<BufferError>("BufferError");
        add_standard<NotImplementedError>("NotImplementedError");
        add_standard<TimeoutError>("TimeoutError");
        add_standard<KeyboardInterrupt>("KeyboardInterrupt");
        add_standard<std::invalid_argument>("ValueError");
        add_standard<std::out_of_range>("IndexError");
        add_standard<std::overflow_error>("OverflowError");
        add_standard<std::runtime_error>("RuntimeError");
        add_standard<std::logic_error>("AssertionError");
        add_standard<std::bad_alloc>("MemoryError");

        add(entry_of<SystemExit>("SystemExit", &save_exit, &make_exit));
        add(entry_of<std::system_error>("OSError", &save_system, &make_system));
    }

    void add(ExceptionEntry entry) {
        entries_.add(
            std::move(entry), [](const ExceptionEntry& known, const ExceptionEntry& wanted) {
                const bool has_name =
                    known.module == wanted.module && known.qualified_name == wanted.qualified_name;
                if (known.type == wanted.type && has_name) return true;
                if (known.type != wanted.type && !has_name) return false;
                throw std::invalid_argument(fmt::format(
                    "{}.{} cannot be the name of {}: {} is registered as {}.{}", wanted.module,
                    wanted.qualified_name, weft::detail::demangle(wanted.type.name()),
                    weft::detail::demangle(known.type.name()), known.module, known.qualified_name));
            });
    }

    const ExceptionEntry* find(const std::exception& exception) const {
        const std::type_index type = typeid(exception);
        const ExceptionEntry* entry =
            entries_.find([&](const ExceptionEntry& each) { return each.type == type; });
        if (entry != nullptr || dynamic_cast<const std::nested_exception*>(&exception) == nullptr) {
            return entry;
        }
        return entries_.find([&](const ExceptionEntry& each) { return each.is_this(exception); });
    }

    const ExceptionEntry* find(std::string_view module, std::string_view name) const {
        for (const Alias& alias : kAliases) {
            if (alias.module == module && alias.name == name) {
                module = "builtins";
                name = alias.means;
                break;
            }
        }
        return entries_.find([&](const ExceptionEntry& each) {
            return each.qualified_name == name && each.module == module;
        });
    }

private:
    template <class E>
    static ExceptionEntry entry_of(std::string_view name, decltype(ExceptionEntry::save) save,
                                   decltype(ExceptionEntry::make) make) {
        ExceptionEntry entry;
        entry.module = "builtins";
        entry.qualified_name = name;
        entry.type = typeid(E);
        entry.is_this = &is_exactly<E>;
        entry.save = save;
        entry.make = make;
        return entry;
    }
    template <class E>
    void add_standard(std::string_view name) {
        add(entry_of<E>(name, &save_exception_args<E>, &make_exception<E>));
    }

    static void save_exit(Writer& writer, const std::exception& exception) {
        const SystemExit::Code& code = dynamic_cast<const SystemExit&>(exception).code();
        writer.begin_tuple(1);
        CodecOf<SystemExit::Code>::save(writer, code);
        writer.end_tuple(1);
    }
    static std::exception_ptr make_exit(ValueSource& source, const Value& args,
                                        const std::string& message,
                                        const std::exception_ptr& nested) {
        SystemExit::Code code;
        if (args.size() > 0) {
            const Value first = args.at(0);
            if (first.kind() == Kind::none || (first.kind() == Kind::integer && first.is<int>())) {
                code = part_as<SystemExit::Code>(source, first);
            } else {
                code = message;
            }
        }
        return nest(SystemExit(code), nested);
    }

    static void save_system(Writer& writer, const std::exception& exception) {
        const auto& error = dynamic_cast<const std::system_error&>(exception);
        const std::error_condition condition = error.code().default_error_condition();
        writer.begin_tuple(2);
        writer.integer(condition.category() == std::generic_category() ? condition.value()
                                                                       : error.code().value());
        writer.text(exception.what());
        writer.end_tuple(2);
    }
    static std::exception_ptr make_system(ValueSource& source, const Value& args,
                                          const std::string& message,
                                          const std::exception_ptr& nested) {
        const bool has_code = args.size() >= 2 && args.at(0).is<int>();
        const std::error_code code(has_code ? args.at(0).get<int>() : EIO, std::generic_category());
        std::string text = has_code && args.at(1).kind() == Kind::text
                               ? part_as<std::string>(source, args.at(1))
                               : message;
        // The constructor adds the code's own text; ours has it already.
        const std::string tail = ": " + code.message();
        if (text == code.message()) {
            text.clear();
        } else if (text.ends_with(tail)) {
            text.resize(text.size() - tail.size());
        }
        return nest(text.empty() ? std::system_error(code) : std::system_error(code, text), nested);
    }

    EntryList<ExceptionEntry> entries_;
};

/// Never destroyed: exceptions may be sent while static objects die.
Registry& registry() {
    static Registry& instance = *new Registry;
    return instance;
}

const ExceptionEntry* find_entry(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const std::exception& inner) {
        return registry().find(inner);
    } catch (...) {
        return nullptr;
    }
}

void save_origin(Writer& writer, const RemoteError& origin) {
    writer.lasting_text(kOriginKey);
    writer.begin_tuple(3);
    writer.text(origin.type());
    writer.text(origin.message());
    writer.text(origin.trace());
    writer.end_tuple(3);
}

void save_chain(Writer& writer, const std::exception_ptr& exception, std::size_t depth) {
    if (depth > kMostCauses) return writer.op(Opcode::none);
    // What it brought along from elsewhere goes on with it; otherwise it is described here.
    std::optional<RemoteError> origin = as_remote(exception);
    std::exception_ptr cause = nested_in(exception);
    const ExceptionEntry* entry = origin ? nullptr : find_entry(exception);
    if (!origin && cause != nullptr) {
        origin = as_remote(cause);
        if (origin) cause = nested_in(cause);
    }
    const weft::detail::ExceptionText text = weft::detail::describe(exception);
    if (!origin) {
        // By its own name, not by that of the standard library's wrapper around it.
        origin.emplace(entry != nullptr ? weft::detail::demangle(entry->type.name()) : text.type,
                       text.message, weft::detail::describe_with_causes(exception));
    }
    if (entry != nullptr) {
        writer.global(*entry);
        try {
            std::rethrow_exception(exception);
        } catch (const std::exception& inner) {
            entry->save(writer, inner);
        }
    } else {
        writer.global(kRemoteName);
        writer.begin_tuple(1);
        writer.text(origin->what());
        writer.end_tuple(1);
    }
    writer.op(Opcode::reduce);
    writer.op(Opcode::empty_dict);
    writer.op(Opcode::mark);
    save_origin(writer, *origin);
    if (cause != nullptr) {
        writer.lasting_text(kCauseKey);
        save_chain(writer, cause, depth + 1);
    }
    writer.op(Opcode::setitems);
    writer.op(Opcode::build);
}

/// What `str()` of a Python exception with these arguments gives.
std::string message_of(ValueSource& source, const Value& args) {
    if (args.kind() != Kind::tuple) return args.repr(1000);
    if (args.size() == 0) return {};
    if (args.size() > 1) return args.repr(1000);
    const Value only = args.at(0);
    return only.kind() == Kind::text ? part_as<std::string>(source, only) : only.repr(1000);
}

bool is_rebuilt(const Value& value) {
    const std::string name = value.type_name();
    return (name == "concurrent.futures.process._rebuild_exc" ||
            name == "multiprocessing.pool.rebuild_exc") &&
           value.args().size() == 2;
}

/// Whether it has the shape of what save_origin() writes.
bool is_origin(const Value& value) {
    if (value.kind() != Kind::tuple || value.size() != 3) return false;
    return std::ranges::all_of(value.items(),
                               [](const Value& v) { return v.kind() == Kind::text; });
}

std::exception_ptr make_chain(ValueSource& source, const Value& given, std::size_t depth) {
    if (depth > kMostCauses || given.kind() != Kind::object) return nullptr;
    Value value = given;
    std::string trace;
    // How Python's pools send an exception with its traceback.
    if (is_rebuilt(value)) {
        const Value text = value.args().at(1);
        if (text.kind() == Kind::text) trace = part_as<std::string>(source, text);
        value = value.args().at(0);
        if (value.kind() != Kind::object) return nullptr;
    }
    if (value.callable().kind() != Kind::global) return nullptr;

    const Value args = value.args();
    std::string type = value.type_name();
    // What an exception takes besides its texts.
    if (!source.may_copy(kExceptionSize + type.size())) throw TypeError(source.message());
    std::string message = message_of(source, args);
    std::exception_ptr cause;
    if (value.state().kind() == Kind::dict) {
        const Value state = value.state();
        using Origin = std::tuple<std::string, std::string, std::string>;
        if (state.contains(kOriginKey) && is_origin(state.at(kOriginKey))) {
            std::tie(type, message, trace) = part_as<Origin>(source, state.at(kOriginKey));
        }
        if (state.contains(kCauseKey)) {
            cause = make_chain(source, state.at(kCauseKey), depth + 1);
        }
    }
    const std::exception_ptr origin = nest(RemoteError(type, message, trace), cause);
    const ExceptionEntry* entry = registry().find(value.module_name(), value.qualified_name());
    return entry == nullptr ? origin : entry->make(source, args, message, origin);
}

}  // namespace

void add_exception(std::string_view name, ExceptionEntry entry) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size()) {
        throw std::invalid_argument(fmt::format(
            "\"{}\" is no name of an exception in Python: write \"module.Class\"", name));
    }
    entry.module = name.substr(0, dot);
    entry.qualified_name = name.substr(dot + 1);
    registry().add(std::move(entry));
}

void save_exception(Writer& writer, const std::exception_ptr& exception) {
    if (exception == nullptr) return writer.op(Opcode::none);
    save_chain(writer, exception, 0);
}

bool load_exception(ValueSource& source, std::exception_ptr& exception) {
    if (source.take_none()) {
        exception = nullptr;
        return true;
    }
    if (!source.next_is_object()) return source.fail("an exception");
    Value value;
    if (!source.load_value(value)) return false;
    try {
        exception = make_chain(source, value, 0);
    } catch (const TypeError& error) {
        return source.fail_with(
            fmt::format("the arguments of {}: {}", shown(value.type_name()), error.what()));
    }
    return exception != nullptr || source.fail_with("what is no exception: " + value.repr(200));
}

}  // namespace weft::pickle::detail
