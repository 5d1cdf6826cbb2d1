// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The vector math of compiled code compared with the C library in a wider type: the largest error in units of the last
// place and its argument, for each instruction set of this machine, with denormal numbers kept (as in `gradc check`)
// and flushed to zero (as in f32 steps of trainers). `math_errors STRIDE [--time] [FUNCTION..]` takes every STRIDE-th
// float of the whole domain, the values around which formulas change, and random doubles. Exit code 1 if an error is
// above its bound.
#include "compiler/target/machine.h"
#include "tests/library/compiled.h"
#include "tests/performance/math_table.h"
#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstring>
#include <fmt/format.h>
#include <random>
#include <thread>

using namespace gradc;
using namespace gradc::math_errors;

namespace {

constexpr int64_t block_size = 1 << 17;
constexpr int64_t timed_size = 2048; // stays in L1

/// Arguments of one block and the expected results.
template <class Real> struct Block {
    using Wide = std::conditional_t<sizeof(Real) == 4, double, long double>;
    std::vector<Real> x, y;
    std::vector<Wide> kept, flushed; // the function's values; flushed: with denormal arguments as 0
    bool plain = true;               // no denormal argument and no denormal value
};

template <class Real> Real flush(Real value) {
    return std::fabs(value) < std::numeric_limits<Real>::min() ? std::copysign(Real(0), value) : value;
}

/// Returns whether none is denormal.
template <class Real> bool expect(const Function& function, Block<Real>& block, size_t begin, size_t end) {
    using Wide = typename Block<Real>::Wide;
    bool plain = true;
    for (size_t i = begin; i < end; ++i) {
        Real x = flush(block.x[i]), y = flush(block.y[i]);
        block.kept[i] = function.value(Wide(block.x[i]), Wide(block.y[i]));
        bool same = x == block.x[i] && y == block.y[i];
        block.flushed[i] = same ? block.kept[i] : function.value(Wide(x), Wide(y));
        plain = plain && same && !(std::fabs(block.kept[i]) <= std::numeric_limits<Real>::min());
    }
    return plain;
}

template <class Real> void expect(const Function& function, Block<Real>& block) {
    size_t size = block.x.size(), workers = std::max(1u, std::thread::hardware_concurrency());
    block.y.resize(size);
    block.kept.resize(size);
    block.flushed.resize(size);
    std::vector<std::thread> threads;
    std::vector<char> plain(workers);
    for (size_t w = 0; w < workers; ++w)
        threads.emplace_back(
            [&, w] { plain[w] = expect(function, block, size * w / workers, size * (w + 1) / workers); });
    for (std::thread& thread : threads) thread.join();
    block.plain = std::count(plain.begin(), plain.end(), 1) == int64_t(workers);
}

/// In units of the last place of the nearest Real; infinity counts as the next power of two after the largest number,
/// unless it is the true value. A wrong NaN is infinitely wrong. Flushed: zero is correct for every denormal result.
template <class Real, class Wide> double error_of(Real got, Wide want, bool flushed) {
    constexpr int digits = std::numeric_limits<Real>::digits, top = std::numeric_limits<Real>::max_exponent;
    if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got) ? 0 : INFINITY;
    if (std::isinf(want) && !(sizeof(Wide) == 8 && std::isinf(got))) return got == want ? 0 : INFINITY;
    if (flushed && got == 0 && std::fabs(want) < std::numeric_limits<Real>::min()) return 0;
    static const Wide beyond = std::ldexp(Wide(1), top);
    Wide found = std::isinf(got) ? std::copysign(beyond, Wide(got)) : Wide(got);
    want = std::clamp(want, -beyond, beyond);
    constexpr Wide least = std::numeric_limits<Real>::min(), most = std::numeric_limits<Real>::max();
    int exponent;
    std::frexp(std::clamp(std::fabs(want), least, most), &exponent);
    return double(std::ldexp(std::fabs(found - want), digits - exponent));
}

/// How many numbers apart, of one sign. The error is at most half a unit more.
int64_t apart(float a, float b) { return std::abs(int64_t(std::bit_cast<int32_t>(a)) - std::bit_cast<int32_t>(b)); }
int64_t apart(double a, double b) {
    int64_t x = std::bit_cast<int64_t>(a), y = std::bit_cast<int64_t>(b);
    return (x < 0) == (y < 0) ? std::abs(x - y) : INT64_MAX;
}

struct Worst {
    double error = 0, x = 0, y = 0;
};

template <class Real> class Measured { // every way of this machine, and the worst errors since begin()
public:
    Measured(const TrainingJob& job, const std::vector<NamedGraph>& programs)
        : machines_(job, programs, block_size, sizeof(Real) == 4 ? Dtype::f32 : Dtype::f64),
          worst_(machines_.ways().size()) {}

    const std::vector<library::Way>& ways() const { return machines_.ways(); }
    void begin() { worst_.assign(ways().size(), {}); }
    const Worst& worst(size_t way, bool flushed) const { return worst_[way][flushed]; }

    /// Adds a block to the worst errors of every way, with denormals kept and flushed.
    void add(const Function& function, const Block<Real>& block) {
        write(function, block.x, block.y);
        seen_.clear();
        for (bool flushed : {false, true}) {
            machines_.flush_denormals(flushed);
            if (!block.plain) seen_.clear();
            for (size_t way = 0; way < ways().size(); ++way) {
                machines_.run(function.name, int64_t(block.x.size()), ways()[way]);
                const Worst& worst = compare(block, result(function), flushed);
                if (!(worst.error <= worst_[way][flushed].error)) worst_[way][flushed] = worst;
            }
        }
    }

    /// Nanoseconds an element, the least of many runs over arguments that stay in the first cache.
    double time(const Function& function, size_t way) {
        std::vector<Real> x(timed_size), y(timed_size);
        for (int64_t i = 0; i < timed_size; ++i) {
            x[i] = Real(function.arguments == 2 ? 0.1 + 3.0 * i / timed_size : -3 + 6.0 * i / timed_size);
            y[i] = Real(2 - 1.5 * i / timed_size);
        }
        write(function, x, y);
        machines_.flush_denormals(true);
        double least = 1e9;
        for (int round = 0; round < 3000; ++round) {
            auto before = std::chrono::steady_clock::now();
            machines_.run(function.name, timed_size, ways()[way]);
            std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - before;
            least = std::min(least, took.count() / timed_size);
        }
        return least;
    }

private:
    void write(const Function& function, const std::vector<Real>& x, const std::vector<Real>& y) {
        std::memcpy(machines_.field(function.name + "_x"), x.data(), x.size() * sizeof(Real));
        if (function.arguments == 2)
            std::memcpy(machines_.field(function.name + "_y"), y.data(), y.size() * sizeof(Real));
    }
    const Real* result(const Function& function) {
        return reinterpret_cast<const Real*>(machines_.result(function.name + "_value"));
    }
    /// The worst of the block. What another way computed alike, bit by bit, is not looked at again.
    const Worst& compare(const Block<Real>& block, const Real* got, bool flushed) {
        for (const Seen& seen : seen_)
            if (std::memcmp(seen.values.data(), got, seen.values.size() * sizeof(Real)) == 0) return seen.worst;
        const auto& want = flushed ? block.flushed : block.kept;
        Seen& seen = seen_.emplace_back(Seen{{got, got + want.size()}, {}});
        for (size_t i = 0; i < want.size(); ++i) {
            Real nearest = Real(want[i]);
            bool finite = std::isfinite(nearest) && std::isfinite(got[i]);
            if (finite && double(apart(got[i], nearest)) + 0.5 <= seen.worst.error) continue; // cannot be worse
            if (double error = error_of(got[i], want[i], flushed); !(error <= seen.worst.error))
                seen.worst = {error, double(block.x[i]), double(block.y[i])};
        }
        return seen.worst;
    }

    struct Seen { // of the present block
        std::vector<Real> values;
        Worst worst;
    };
    std::vector<Seen> seen_;
    library::Machines machines_;
    std::vector<std::array<Worst, 2>> worst_;
};

template <class Real, class Word> Real from_bits(Word word) {
    Real value;
    std::memcpy(&value, &word, sizeof value);
    return value;
}

template <class Real, class Word> void add_edges(const Function& function, std::vector<Real>& x, std::vector<Real>& y) {
    for (double edge : edges)
        for (Word step = 0; step < 101; ++step)
            for (double sign : {1.0, -1.0}) {
                Real value = Real(sign * edge);
                Word word;
                std::memcpy(&word, &value, sizeof word);
                x.push_back(from_bits<Real>(Word(word + step - 50)));
                y.push_back(Real(edges[(x.size() * 7) % std::size(edges)]));
            }
    if (function.arguments < 2) return;
    for (double a : edges)
        for (double b : edges)
            for (int signs = 0; signs < 4; ++signs) {
                x.push_back(Real(signs & 1 ? -a : a));
                y.push_back(Real(signs & 2 ? -b : b));
            }
}

/// Leaves out arguments outside of the function's domain.
template <class Real> void restrict_to(const Function& function, std::vector<Real>& x, std::vector<Real>& y) {
    double limit = sizeof(Real) == 4 ? function.f32_domain : function.f64_domain;
    size_t kept = 0;
    for (size_t i = 0; i < x.size(); ++i)
        if (!(std::fabs(x[i]) > limit) && function.defined(double(flush(x[i])), double(y[i])))
            x[kept] = x[i], y[kept++] = y[i];
    x.resize(kept);
    y.resize(kept);
}

/// Second arguments: of quotients any number, of powers such that most results are finite.
template <class Real> Real second_argument(const Function& function, Real x, std::mt19937_64& random) {
    uint64_t drawn = random();
    if (function.name != "pow") return from_bits<Real>(sizeof(Real) == 4 ? uint32_t(drawn) : drawn);
    double reach = 1.2 * std::numeric_limits<Real>::max_exponent;
    double wanted = reach * (double(drawn >> 11) * 0x1p-52 - 1);
    double y = wanted / std::max(1e-9, std::fabs(std::log2(std::fabs(double(x)))));
    return Real(x < 0 ? std::floor(y) : y);
}

template <class Real>
void measure(const Function& function, Measured<Real>& measured, std::vector<Real> x, std::vector<Real> y) {
    restrict_to(function, x, y);
    if (x.empty()) return;
    Block<Real> block;
    block.x = std::move(x);
    block.y = std::move(y);
    expect(function, block);
    measured.add(function, block);
}

void measure_all(const Function& function, Measured<float>& measured, uint64_t stride) {
    std::mt19937_64 random(1);
    std::vector<float> x, y;
    add_edges<float, uint32_t>(function, x, y);
    for (uint64_t word = 0; word < 1ull << 32; word += stride) {
        if (int64_t(x.size()) == block_size) {
            measure(function, measured, std::move(x), std::move(y));
            x.clear(), y.clear();
        }
        x.push_back(from_bits<float>(uint32_t(word)));
        y.push_back(function.arguments == 2 ? second_argument(function, x.back(), random) : 0.0f);
    }
    measure(function, measured, std::move(x), std::move(y));
}

/// Half of the doubles have random bits, half are where the function bends.
void measure_all(const Function& function, Measured<double>& measured, uint64_t stride) {
    std::mt19937_64 random(1);
    std::vector<double> x, y;
    add_edges<double, uint64_t>(function, x, y);
    int64_t count = int64_t((1ull << 27) / stride);
    for (int64_t i = 0; i < count; ++i) {
        if (int64_t(x.size()) == block_size) {
            measure(function, measured, std::move(x), std::move(y));
            x.clear(), y.clear();
        }
        double wide = std::ldexp(double(int64_t(random())), -63); // (-1, 1)
        x.push_back(i % 2 ? from_bits<double>(random()) : wide * (i % 4 ? 10 : 1000));
        y.push_back(function.arguments == 2 ? second_argument(function, x.back(), random) : 0.0);
    }
    measure(function, measured, std::move(x), std::move(y));
}

std::string place(const Function& function, const Worst& worst) {
    if (worst.error == 0) return "";
    return function.arguments == 2 ? fmt::format("{:.9g}, {:.9g}", worst.x, worst.y) : fmt::format("{:.9g}", worst.x);
}

template <class Real> int report(const Function& function, Measured<Real>& measured, bool timed) {
    int wrong = 0;
    for (size_t way = 0; way < measured.ways().size(); ++way) {
        bool fused = target::machine(measured.ways()[way].isa).has_fma;
        double bound = sizeof(Real) == 4 ? function.f32_bound : fused ? function.f64_bound : function.f64_bound_unfused;
        const Worst &kept = measured.worst(way, false), &flushed = measured.worst(way, true);
        bool good = kept.error <= bound && flushed.error <= bound;
        const Worst& worst = flushed.error > kept.error ? flushed : kept;
        fmt::print("{:10} {:4} {:9} {:>6} {:>8.2f} {:>8.2f}  {:28}{}{}\n", function.name,
                   sizeof(Real) == 4 ? "f32" : "f64", measured.ways()[way].name, bound, kept.error, flushed.error,
                   place(function, worst), timed ? fmt::format(" {:6.3f}", measured.time(function, way)) : "",
                   good ? "" : "  above its bound");
        wrong += !good;
    }
    std::fflush(stdout);
    return wrong;
}

template <class Real> int run(const std::vector<Function>& functions, uint64_t stride, bool timed) {
    Dtype precision = sizeof(Real) == 4 ? Dtype::f32 : Dtype::f64;
    TrainingJob job = library::elaborate_text(model_text(functions), precision);
    std::vector<NamedGraph> programs;
    for (const Function& function : functions) {
        Graph graph = library::model_of(job, function.name + "_of").graph;
        graph.outputs[0].name = function.name + "_value";
        programs.push_back({function.name, std::move(graph)});
    }
    Measured<Real> measured(job, programs);
    int wrong = 0;
    for (const Function& function : functions) {
        measured.begin();
        measure_all(function, measured, stride);
        wrong += report(function, measured, timed);
    }
    return wrong;
}

} // namespace

int main(int argc, char** argv) {
    uint64_t stride = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 257;
    bool timed = false;
    std::vector<std::string> wanted;
    for (int i = 2; i < argc; ++i)
        if (std::string(argv[i]) == "--time") timed = true;
        else wanted.push_back(argv[i]);
    if (stride == 0) {
        fmt::print("a stride of at least 1, please\n");
        return 2;
    }
    std::vector<Function> functions;
    for (Function& function : function_table())
        if (wanted.empty() || std::count(wanted.begin(), wanted.end(), function.name)) functions.push_back(function);
    fmt::print("{:10} {:4} {:9} {:>6} {:>8} {:>8}  {:28}{}\n", "function", "", "", "bound", "kept", "flushed",
               "worst at", timed ? "     ns" : "");
    int wrong = run<float>(functions, stride, timed);
    wrong += run<double>(functions, stride, timed);
    return wrong ? 1 : 0;
}
