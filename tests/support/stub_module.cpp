// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A hand-written module for tests of the runtime alone: softmax regression on digits with momentum, with plain loops in
// place of generated kernels. It has one of everything in the table: a statistic, a state, a weight in panels, padded
// rows, accumulators, metrics, prediction, a diagnosing program, divisible kernels. STUB_VARIANT 1 has other
// bits, 2 other names and shapes, 3 no kernels.
#include "runtime/abi.h"
#include <math.h>

#ifndef STUB_VARIANT
#define STUB_VARIANT 0
#endif
#define STUB_BITS STUB_VARIANT == 1 ? "2222222222222222" : "1111111111111111"

namespace {

constexpr int64_t batch = 32, pixels = 64, classes = 10, pixel_stride = 80, panel = 16;

// ---- the arena ----------------------------------------------------------------------------------

struct Memory {
    alignas(64) float image[batch][pixel_stride];
    int32_t label[batch], row[batch];
    int64_t rows, seed;
    double step, steps, epoch, rate, mu;
    alignas(64) float weight[pixels][panel]; // one panel
    float bias[classes];
    float weight_velocity[pixels][classes], bias_velocity[classes];
    float mean[pixels];
    double seen;
    double mean_sum[pixels], mean_rows;
    double train_sums[3], test_sums[3];    // loss, hits, rows
    alignas(64) float error[batch][panel]; // softmax - one-hot
    float row_loss[batch];
    int32_t hit[batch];
    float loss;
    double train_results[2], test_results[2];
    float predict[batch][classes];
    double bad_logits, bad_loss;
};

Memory& memory_at(unsigned char* arena) { return *reinterpret_cast<Memory*>(arena); }

// ---- kernels ------------------------------------------------------------------------------------

void forward_row(Memory& m, int64_t n) {
    float logits[classes], greatest = -INFINITY, sum = 0;
    int best = 0;
    for (int c = 0; c < classes; c++) {
        logits[c] = m.bias[c];
        for (int p = 0; p < pixels; p++) logits[c] += (m.image[n][p] - m.mean[p]) / 16 * m.weight[p][c];
        if (!(logits[c] <= greatest)) greatest = logits[c], best = c;
    }
    for (int c = 0; c < classes; c++) sum += expf(logits[c] - greatest);
    for (int c = 0; c < classes; c++) {
        m.predict[n][c] = logits[c];
        m.error[n][c] = expf(logits[c] - greatest) / sum - (c == m.label[n] ? 1.0f : 0.0f);
    }
    m.row_loss[n] = logf(sum) + greatest - logits[m.label[n]];
    m.hit[n] = best == m.label[n];
}
void forward(unsigned char* arena, const int64_t*, const uint32_t*, int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) forward_row(memory_at(arena), n);
}
void mean_loss(unsigned char* arena, const int64_t* sizes, const uint32_t*, int64_t, int64_t) {
    Memory& m = memory_at(arena);
    m.loss = 0;
    for (int64_t n = 0; n < sizes[0]; n++) m.loss += m.row_loss[n];
    m.loss /= float(sizes[0]);
}
void update_weight(unsigned char* arena, const int64_t* sizes, const uint32_t*, int64_t begin, int64_t end) {
    Memory& m = memory_at(arena);
    for (int64_t p = begin; p < end; p++) {
        for (int c = 0; c < classes; c++) {
            float g = 0;
            for (int64_t n = 0; n < sizes[0]; n++) g += (m.image[n][p] - m.mean[p]) / 16 * m.error[n][c];
            float& v = m.weight_velocity[p][c];
            v = float(m.mu) * v - float(m.rate) * g / float(sizes[0]);
            m.weight[p][c] += v;
        }
    }
}
void add_sums(double* sums, const Memory& m, int64_t rows) {
    for (int64_t n = 0; n < rows; n++) {
        sums[0] += m.row_loss[n];
        sums[1] += m.hit[n];
        sums[2] += 1;
    }
}
void update_bias(unsigned char* arena, const int64_t* sizes, const uint32_t*, int64_t, int64_t) {
    Memory& m = memory_at(arena);
    for (int c = 0; c < classes; c++) {
        float g = 0;
        for (int64_t n = 0; n < sizes[0]; n++) g += m.error[n][c];
        m.bias_velocity[c] = float(m.mu) * m.bias_velocity[c] - float(m.rate) * g / float(sizes[0]);
        m.bias[c] += m.bias_velocity[c];
    }
    m.seen += double(sizes[0]);
    add_sums(m.train_sums, m, sizes[0]);
}
void add_test_sums(unsigned char* arena, const int64_t* sizes, const uint32_t*, int64_t, int64_t) {
    add_sums(memory_at(arena).test_sums, memory_at(arena), sizes[0]);
}
void finish_train(unsigned char* arena, const int64_t*, const uint32_t*, int64_t, int64_t) {
    Memory& m = memory_at(arena);
    for (int i = 0; i < 2; i++) m.train_results[i] = m.train_sums[i] / m.train_sums[2];
}
void finish_test(unsigned char* arena, const int64_t*, const uint32_t*, int64_t, int64_t) {
    Memory& m = memory_at(arena);
    for (int i = 0; i < 2; i++) m.test_results[i] = m.test_sums[i] / m.test_sums[2];
}
void draw_start(unsigned char* arena, const int64_t*, const uint32_t*, int64_t, int64_t) {
    Memory& m = memory_at(arena);
    uint64_t state = uint64_t(m.seed) * 2654435761u + 1;
    for (auto& row : m.weight) {
        for (int c = 0; c < classes; c++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            row[c] = float(double(state >> 33) * 0x1p-31 - 0.5) * 0.1f;
        }
    }
}
void add_mean(unsigned char* arena, const int64_t* sizes, const uint32_t*, int64_t, int64_t) {
    Memory& m = memory_at(arena);
    for (int64_t n = 0; n < sizes[0]; n++) {
        for (int p = 0; p < pixels; p++) m.mean_sum[p] += m.image[n][p];
    }
    m.mean_rows += double(sizes[0]);
}
void finish_mean(unsigned char* arena, const int64_t*, const uint32_t*, int64_t, int64_t) {
    Memory& m = memory_at(arena);
    for (int p = 0; p < pixels; p++) m.mean[p] = float(m.mean_sum[p] / m.mean_rows);
}
void count_bad(unsigned char* arena, const int64_t* sizes, const uint32_t*, int64_t, int64_t) {
    Memory& m = memory_at(arena);
    m.bad_logits = m.bad_loss = 0;
    for (int64_t n = 0; n < sizes[0]; n++) {
        for (float logit : m.predict[n]) m.bad_logits += !isfinite(logit);
        m.bad_loss += !isfinite(m.row_loss[n]);
    }
}

// ---- tables -------------------------------------------------------------------------------------

#if STUB_VARIANT == 3
#define VARIANTS(f) {((void)f, nullptr), nullptr, nullptr}
#else
#define VARIANTS(f) {f, f, nullptr}
#endif
#define EXTENTS(fixed, per_row, grain)                                                                                 \
    {                                                                                                                  \
        {fixed, per_row, 1, grain}, {fixed, per_row, 1, grain}, {}                                                     \
    }
template <gradc_function f, int64_t fixed, int64_t per_row, int64_t grain>
constexpr gradc_code code = {VARIANTS(f), EXTENTS(fixed, per_row, grain), 0, 0};
#define ONCE(f) {#f, &code<f, 1, 0, 0>, nullptr, 0}

constexpr gradc_kernel step_kernels[] = {{"forward", &code<forward, 0, 1, 4>, nullptr, 0},
                                         ONCE(mean_loss),
                                         {"update_weight", &code<update_weight, pixels, 0, 8>, nullptr, 0},
                                         ONCE(update_bias)};
constexpr gradc_kernel test_kernels[] = {{"forward", &code<forward, 0, 1, 4>, nullptr, 0}, ONCE(add_test_sums)};
constexpr gradc_kernel predict_kernels[] = {{"forward", &code<forward, 0, 1, 4>, nullptr, 0}};
constexpr gradc_kernel diagnose_kernels[] = {{"forward", &code<forward, 0, 1, 4>, nullptr, 0}, ONCE(count_bad)};
constexpr gradc_kernel finish_train_kernels[] = {ONCE(finish_train)}, finish_test_kernels[] = {ONCE(finish_test)},
                       start_kernels[] = {ONCE(draw_start)}, add_mean_kernels[] = {ONCE(add_mean)},
                       finish_mean_kernels[] = {ONCE(finish_mean)};
constexpr gradc_step step_table[] = {{GRADC_KERNEL, 0, 0, 0},
                                     {GRADC_KERNEL, 1, 0, 0},
                                     {GRADC_GUARD, 0, 0, 0},
                                     {GRADC_KERNEL, 2, 0, 0},
                                     {GRADC_KERNEL, 3, 0, 0}};
constexpr gradc_step two_table[] = {{GRADC_KERNEL, 0, 0, 0}, {GRADC_KERNEL, 1, 0, 0}};

constexpr int64_t image_shape[] = {batch, pixels}, image_strides[] = {pixel_stride, 1};
constexpr int64_t rows_shape[] = {batch}, one[] = {1}, weight_shape[] = {pixels, classes}, dense[] = {classes, 1};
constexpr int64_t bias_shape[] = {classes}, mean_shape[] = {pixels}, three[] = {3}, predict_shape[] = {batch, classes};

#define AT(member) int64_t(offsetof(Memory, member))
#define SCALAR(name, dtype, role, member) {name, "", dtype, role, 0, 0, nullptr, nullptr, AT(member), 0}
#if STUB_VARIANT == 2
constexpr const char* weight_name = "net.linear.matrix";
#else
constexpr const char* weight_name = "net.linear.weight";
#endif

enum TensorNumber {
    image,
    label,
    row,
    rows,
    seed,
    step,
    steps,
    epoch,
    rate,
    mu,
    weight,
    bias,
    weight_velocity,
    bias_velocity,
    mean,
    seen,
    mean_sum,
    mean_rows,
    train_sums,
    test_sums,
    loss,
    train_loss,
    train_accuracy,
    test_loss,
    test_accuracy,
    predict,
    bad_logits,
    bad_loss,
    tensor_count
};
constexpr gradc_tensor tensors[tensor_count] = {
    {"image", "", GRADC_F32, GRADC_FIELD, 2, 1, image_shape, image_strides, AT(image), 0},
    {"label", "", GRADC_I32, GRADC_FIELD, 1, 1, rows_shape, one, AT(label), 0},
    {"#row", "", GRADC_I32, GRADC_FIELD, 1, 1, rows_shape, one, AT(row), 0},
    SCALAR("rows", GRADC_I64, GRADC_SCALAR, rows),
    SCALAR("seed", GRADC_I64, GRADC_SCALAR, seed),
    SCALAR("step", GRADC_F64, GRADC_SCALAR, step),
    SCALAR("steps", GRADC_F64, GRADC_SCALAR, steps),
    SCALAR("epoch", GRADC_F64, GRADC_SCALAR, epoch),
    SCALAR("train.rate", GRADC_F64, GRADC_SCALAR, rate),
    SCALAR("train.mu", GRADC_F64, GRADC_SCALAR, mu),
    {weight_name, "", GRADC_F32, GRADC_PARAMETER, 2, 0, weight_shape, nullptr, AT(weight), panel},
    {"net.linear.bias", "bias_in_files", GRADC_F32, GRADC_PARAMETER, 1, 0, bias_shape, one, AT(bias), 0},
    {"momentum.v/net.linear.weight", "", GRADC_F32, GRADC_OPTIMIZER, 2, 0, weight_shape, dense, AT(weight_velocity), 0},
    {"momentum.v/net.linear.bias", "", GRADC_F32, GRADC_OPTIMIZER, 1, 0, bias_shape, one, AT(bias_velocity), 0},
    {"digits.mean", "", GRADC_F32, GRADC_STATISTIC, 1, 0, mean_shape, one, AT(mean), 0},
    SCALAR("net.seen", GRADC_F64, GRADC_STATE, seen),
    {"sum.mean", "", GRADC_F64, GRADC_ACCUMULATOR, 1, 0, mean_shape, one, AT(mean_sum), 0},
    SCALAR("sum.rows", GRADC_F64, GRADC_ACCUMULATOR, mean_rows),
    {"sum.train", "", GRADC_F64, GRADC_ACCUMULATOR, 1, 0, three, one, AT(train_sums), 0},
    {"sum.test", "", GRADC_F64, GRADC_ACCUMULATOR, 1, 0, three, one, AT(test_sums), 0},
    SCALAR("loss", GRADC_F32, GRADC_RESULT, loss),
    SCALAR("loss", GRADC_F64, GRADC_RESULT, train_results[0]),
    SCALAR("accuracy", GRADC_F64, GRADC_RESULT, train_results[1]),
    SCALAR("loss", GRADC_F64, GRADC_RESULT, test_results[0]),
    SCALAR("accuracy", GRADC_F64, GRADC_RESULT, test_results[1]),
    {"predict", "", GRADC_F32, GRADC_RESULT, 2, 1, predict_shape, dense, AT(predict), 0},
    SCALAR("stub.grad:3:9: linear(x, 10)", GRADC_F64, GRADC_RESULT, bad_logits),
    SCALAR("stub.grad:9:15: cross_entropy(net(image), label)", GRADC_F64, GRADC_RESULT, bad_loss),
};

constexpr int32_t step_results[] = {loss}, train_results[] = {train_loss, train_accuracy},
                  test_results[] = {test_loss, test_accuracy}, predict_results[] = {predict},
                  diagnose_results[] = {bad_logits, bad_loss}, both_fields[] = {image, label}, image_field[] = {image};
enum ProgramNumber {
    initial,
    train_step,
    train_finish,
    test_pass,
    test_finish,
    predicting,
    mean_pass,
    mean_finish,
    diagnosing,
    program_count
};
constexpr gradc_program programs[program_count] = {
    {"initial", start_kernels, two_table, 1, 1, nullptr, 0, 0, nullptr, 0, {}, 0},
    {"train.step",
     step_kernels,
     step_table,
     4,
     5,
     step_results,
     1,
     4.0 * batch* pixels* classes,
     both_fields,
     2,
     {},
     0},
    {"train.finish", finish_train_kernels, two_table, 1, 1, train_results, 2, 0, nullptr, 0, {}, 0},
    {"train.evaluate", test_kernels, two_table, 2, 2, nullptr, 0, 0, both_fields, 2, {}, 0},
    {"train.evaluate.finish", finish_test_kernels, two_table, 1, 1, test_results, 2, 0, nullptr, 0, {}, 0},
    {"train.predict", predict_kernels, two_table, 1, 1, predict_results, 1, 0, image_field, 1, {}, 0},
    {"statistics", add_mean_kernels, two_table, 1, 1, nullptr, 0, 0, image_field, 1, {}, 0},
    {"statistics.finish", finish_mean_kernels, two_table, 1, 1, nullptr, 0, 0, nullptr, 0, {}, 0},
    {"train.diagnose", diagnose_kernels, two_table, 2, 2, diagnose_results, 2, 0, both_fields, 2, {}, 0},
};

struct Columns {
    int64_t numbers[pixels + 1];
    constexpr Columns() : numbers() {
        for (int64_t i = 0; i <= pixels; i++) numbers[i] = i;
    }
};
constexpr Columns columns;
constexpr gradc_file files[] = {{"", "digits.csv"}};
constexpr gradc_field fields[] = {
    {"image", "csv",   GRADC_F32, 1, mean_shape, 0, -1, files, 1, columns.numbers, nullptr, pixels, 0, nullptr,
     0,       nullptr, 0,         1, 0,          0, 0,  0,     0},
    {"label", "csv",   GRADC_I32, 0, nullptr, 0, 9, files, 1, columns.numbers + pixels, nullptr, 1, 0, nullptr,
     0,       nullptr, 0,         1, 0,       0, 0, 0,     0}};
constexpr gradc_split splits[] = {{"train", 0.8}, {"test", 0.2}};
constexpr gradc_dataset datasets[] = {{"digits", fields, splits, 2, 2, 0, 0}};
constexpr gradc_flag flags[] = {{"rate", "train.rate", "momentum: rate of descent", rate, 0, 0.1},
                                {"mu", "train.momentum", "momentum: share of the last step that is kept", mu, 0, 0.9}};
constexpr gradc_metric metrics[] = {{"loss", 0, nullptr}, {"accuracy", 0, nullptr}};
constexpr gradc_block blocks[] = {{"train",
                                   0,
                                   0,
                                   GRADC_SHUFFLED,
                                   batch,
                                   5,
                                   0,
                                   1,
                                   flags,
                                   2,
                                   metrics,
                                   2,
                                   train_step,
                                   {0, 0, train_finish},
                                   {test_pass, 1, test_finish},
                                   predicting,
                                   -1,
                                   0,
                                   1 + diagnosing}};

} // namespace

extern "C" const gradc_module gradc_module_table = {GRADC_ABI_VERSION,
                                                    "stub",
                                                    "gradc 0.1.0",
                                                    "--isa portable",
                                                    "00000000000000aa",
                                                    {STUB_BITS, STUB_BITS, ""},
                                                    sizeof(Memory),
                                                    0,
                                                    0,
                                                    0,
                                                    0,
                                                    sizeof(Memory),
                                                    batch,
                                                    tensors,
                                                    programs,
                                                    datasets,
                                                    blocks,
                                                    tensor_count,
                                                    program_count,
                                                    1,
                                                    1,
                                                    initial,
                                                    {mean_pass, 1, mean_finish},
                                                    -1,
                                                    nullptr,
                                                    nullptr,
                                                    nullptr,
                                                    0,
                                                    1,
                                                    0};
