// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The training loop with a module that records its calls: blocks in turns, clocks, epochs without data, a data set of
// two blocks, sums that start from zero.
#include "runtime/train/training.h"
#include "tests/unit/runtime/fields.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <cstddef>
#include <deque>

using namespace gradc::runtime;

namespace {

struct Call {
    int64_t block, rows;
    double step, steps, epoch;
    friend bool operator==(const Call&, const Call&) = default;
};

struct Memory {
    int64_t rows, seed;
    double step, steps, epoch;
    int32_t row[4];
    double sums[2]; // of one epoch, by block: rows seen
    float losses[2];
    double results[2];
    int64_t calls;
    Call log[200];
};

template <int block> void note(unsigned char* arena, const int64_t* sizes, const uint32_t*, int64_t, int64_t) {
    Memory& m = *reinterpret_cast<Memory*>(arena);
    m.log[m.calls++] = {block, sizes[0], m.step, m.steps, m.epoch};
    m.sums[block] += double(m.rows);
    m.losses[block] = float(10 * block + m.rows);
}
template <int block> void finish(unsigned char* arena, const int64_t*, const uint32_t*, int64_t, int64_t) {
    Memory& m = *reinterpret_cast<Memory*>(arena);
    m.results[block] = m.sums[block];
}
void nothing(unsigned char*, const int64_t*, const uint32_t*, int64_t, int64_t) {}

/// Blocks "judge" (two steps a turn) and "artist" (one).
struct TwoBlocks {
    static constexpr int64_t four[] = {4}, one[] = {1};
    static constexpr gradc_step table[] = {{GRADC_KERNEL, 0, 0, 0}};
#define AT(member) int64_t(offsetof(Memory, member))
#define SCALAR(name, dtype, role, member) {name, "", dtype, role, 0, 0, one, one, AT(member), 0}
    gradc_tensor tensors[11] = {SCALAR("rows", GRADC_I64, GRADC_SCALAR, rows),
                                SCALAR("seed", GRADC_I64, GRADC_SCALAR, seed),
                                SCALAR("step", GRADC_F64, GRADC_SCALAR, step),
                                SCALAR("steps", GRADC_F64, GRADC_SCALAR, steps),
                                SCALAR("epoch", GRADC_F64, GRADC_SCALAR, epoch),
                                {"#row", "", GRADC_I32, GRADC_FIELD, 1, 1, four, one, AT(row), 0},
                                SCALAR("sum.judge", GRADC_F64, GRADC_ACCUMULATOR, sums[0]),
                                SCALAR("sum.artist", GRADC_F64, GRADC_ACCUMULATOR, sums[1]),
                                SCALAR("loss", GRADC_F32, GRADC_RESULT, losses[0]),
                                SCALAR("loss", GRADC_F32, GRADC_RESULT, losses[1]),
                                SCALAR("seen", GRADC_F64, GRADC_RESULT, results[0])};
#undef SCALAR
#undef AT
    gradc_kernel kernels[4] = {kernel(note<0>), kernel(note<1>), kernel(finish<0>), kernel(nothing)};
    int32_t judge_loss[1] = {8}, artist_loss[1] = {9}, seen[1] = {10};
    gradc_program programs[4] = {{"judge", &kernels[0], table, 1, 1, judge_loss, 1, 0, nullptr, 0, {}, 0},
                                 {"artist", &kernels[1], table, 1, 1, artist_loss, 1, 0, nullptr, 0, {}, 0},
                                 {"judge.finish", &kernels[2], table, 1, 1, seen, 1, 0, nullptr, 0, {}, 0},
                                 {"initial", &kernels[3], table, 1, 1, nullptr, 0, 0, nullptr, 0, {}, 0}};
    gradc_metric metrics[1] = {{"seen", 0, nullptr}};
    gradc_block blocks[2] = {};
    gradc_module module{};

    static gradc_kernel kernel(gradc_function function) {
        static std::deque<gradc_code> codes;
        codes.push_back({{function, nullptr, nullptr}, {{1, 0, 1, 0}, {}, {}}, 0, 0});
        return {"k", &codes.back(), nullptr, 0};
    }
    TwoBlocks() {
        for (int b = 0; b < 2; b++) {
            blocks[b] = {b == 0 ? "judge" : "artist",
                         -1,
                         0,
                         GRADC_FILE_ORDER,
                         4,
                         1,
                         0,
                         b == 0 ? 2 : 1,
                         nullptr,
                         0,
                         metrics,
                         b == 0,
                         b,
                         {0, 0, b == 0 ? 2 : -1},
                         {0, 0, -1},
                         -1,
                         -1,
                         0,
                         0};
        }
        module.abi_version = GRADC_ABI_VERSION;
        module.name = "game";
        module.arena_bytes = sizeof(Memory);
        module.batch = 4;
        module.tensors = tensors, module.tensor_count = 11;
        module.programs = programs, module.program_count = 4;
        module.blocks = blocks, module.block_count = 2;
        module.initial = 3;
    }
};

struct Ran {
    std::vector<Call> calls;
    Measured measured;
    Position position;
};

Ran train(const TwoBlocks& two, int64_t epochs, int64_t steps, const Dataset* dataset = nullptr) {
    Settings settings = written_settings(two.module);
    settings.epochs = epochs, settings.steps = steps;
    settings.json = "wanted"; // every epoch is measured
    Session session(two.module);
    Error error;
    REQUIRE(session.start(GRADC_BASELINE, 1, 1, error));
    Console console(true);
    HeldSignals signals;
    Training training(session, settings, dataset, console);
    REQUIRE(training.run(0, signals, error) == Ending::finished);
    const Memory& m = *reinterpret_cast<Memory*>(session.arena());
    return {{m.log, m.log + m.calls}, training.measured, training.position};
}

} // namespace

TEST_CASE("blocks take turns and know their own steps") {
    TwoBlocks two;
    Ran ran = train(two, 1, 8);
    REQUIRE(ran.calls.size() == 8);
    const std::vector<Call> expected{{0, 4, 1, 6, 1}, {0, 4, 2, 6, 1}, {1, 4, 1, 2, 1}, {0, 4, 3, 6, 1},
                                     {0, 4, 4, 6, 1}, {1, 4, 2, 2, 1}, {0, 4, 5, 6, 1}, {0, 4, 6, 6, 1}};
    CHECK(ran.calls == expected);
    CHECK(ran.position.block_steps == std::vector<int64_t>{6, 2});
    CHECK(ran.measured.rows == 32);
}

TEST_CASE("without data the steps are reported in twenty parts") {
    TwoBlocks two;
    Ran ran = train(two, 1, 100);
    REQUIRE(ran.measured.epochs.size() == 20);
    CHECK(ran.measured.epochs[19].step == 100);
    const SplitReport& last = ran.measured.epochs[19].splits.at(0);
    CHECK(last.split == "train");
    REQUIRE(last.metrics.size() == 3);
    CHECK(last.metrics[0].name == "judge.loss");
    CHECK(last.metrics[0].values[0] == 4);
    CHECK(last.metrics[1].name == "judge.seen");
    CHECK(last.metrics[1].values[0] <= 16); // sums start from zero in each part
    CHECK(last.metrics[2].name == "artist.loss");
    CHECK(last.metrics[2].values[0] == 14);
    CHECK(train(two, 7, 0).calls.size() == 7); // an epoch is a step
}

TEST_CASE("two blocks share the rows of the first") {
    TwoBlocks two;
    two.blocks[0].dataset = 0;
    Tables tables;
    gradc_field& field = tables.field("i", "", GRADC_I32, {});
    field.rows = 10;
    gradc_dataset table = tables.dataset({});
    two.module.datasets = &table;
    Dataset dataset;
    Error error;
    REQUIRE(load_dataset(table, Places{{""}}, 1, dataset, error));
    Ran ran = train(two, 2, 0, &dataset);
    const std::vector<Call> expected{{0, 4, 1, 4, 1}, {0, 4, 2, 4, 1}, {1, 2, 1, 2, 1},
                                     {0, 4, 3, 4, 2}, {0, 4, 4, 4, 2}, {1, 2, 2, 2, 2}};
    CHECK(ran.calls == expected);
    REQUIRE(ran.measured.epochs.size() == 2);
    CHECK(ran.measured.epochs[1].splits[0].metrics[1].values[0] == 8); // of this epoch alone
    CHECK(train(two, 9, 4, &dataset).calls.size() == 4);
}

TEST_CASE("the loss curve falls with the loss") {
    LossCurve curve;
    CHECK(curve.drawn(8) == "");
    for (int i = 0; i < 1000; i++) curve.add(std::exp(-0.01 * i));
    std::string drawn = curve.drawn(8);
    CHECK(drawn.starts_with("█"));
    CHECK(drawn.ends_with("▁"));
    CHECK(drawn.size() == 8 * 3);
    LossCurve flat;
    for (int i = 0; i < 5; i++) flat.add(-2);
    flat.add(NAN);
    CHECK(flat.drawn(3) == "▁▁▁");
}
