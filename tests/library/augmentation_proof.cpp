// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random changes of images: rows of one image whose numbers all differ, so that what was done to a row can be read from
// it. Each row is one of the possible results, and each result comes as often as stated.
#include "compiler/check/sample.h"
#include "compiler/graph/rewrite.h"
#include "tests/library/compiled.h"
#include "tests/library/proof.h"
#include <cmath>
#include <fmt/format.h>

namespace gradc::library {

namespace {

constexpr int height = 4, width = 5;
constexpr int64_t many = 4000;

using Image = std::vector<double>; // [H, W, 1]

Image original() {
    Image image;
    for (int i = 1; i <= height * width; ++i) image.push_back(i);
    return image;
}

/// The positions from (top, left) on, 0 outside of the image.
Image window(int top, int left, int rows_taken, int columns_taken) {
    Image whole = original(), result;
    for (int h = top; h < top + rows_taken; ++h)
        for (int w = left; w < left + columns_taken; ++w) {
            bool inside = h >= 0 && h < height && w >= 0 && w < width;
            result.push_back(inside ? whole[size_t(h * width + w)] : 0);
        }
    return result;
}

Image flipped(bool vertical) {
    Image result;
    for (int h = 0; h < height; ++h)
        for (int w = 0; w < width; ++w)
            result.push_back(vertical ? (height - 1 - h) * width + w + 1 : h * width + width - w);
    return result;
}

/// `formula` of the same image in many rows, one forward pass in training.
std::vector<Image> results(const std::string& formula, const Shape& shape) {
    TrainingJob job =
        elaborate_text(fmt::format("model l() {{ param one = 1;  return one }}\ntrain {{ batch {};  steps "
                                   "1\n x[n < N, h < {}, w < {}, c < 1] = 1.0 + {} * h + w\n y = {}\n "
                                   "loss l() * mean(y);  optimizer sgd() }}\n",
                                   many, height, width, width, formula),
                       Dtype::f64);
    const TrainBlock& block = job.blocks[0];
    Environment environment = sample(job, block.flags, block.forward, {many, 1});
    std::vector<double> last;
    environment.observe = [&](NodeId, const Tensor& value) {
        if (value.shape == Shape{many, shape[0], shape[1], 1}) last = value.values; // the last one is y
    };
    evaluate(extract(block.forward, {block.forward.outputs[0]}), environment);
    std::vector<Image> rows;
    size_t each = last.size() / many;
    for (size_t i = 0; i + each <= last.size() && each; i += each)
        rows.emplace_back(last.begin() + int64_t(i), last.begin() + int64_t(i + each));
    return rows;
}

struct Possible {
    Image image;
    double share;
};

void prove_shares(const std::string& formula, const Shape& shape, const std::vector<Possible>& all,
                  Findings& findings) {
    std::vector<Image> rows = results(formula, shape);
    size_t explained = 0;
    for (const Possible& each : all) {
        auto count = std::count(rows.begin(), rows.end(), each.image);
        explained += size_t(count);
        double deviation = std::sqrt(each.share * (1 - each.share) / many);
        if (std::fabs(double(count) / many - each.share) > 5 * deviation)
            findings.error(
                fmt::format("{} gives a result {} of {} times, stated is {}", formula, count, many, each.share));
    }
    if (rows.empty() || explained != rows.size())
        findings.error(fmt::format("{} gives {} results that are not possible", formula, rows.size() - explained));
}

/// Windows whose top and left are drawn from `tops` and `lefts` numbers, the first as given.
std::vector<Possible> windows(int top, int tops, int left, int lefts, int rows_taken, int columns_taken) {
    std::vector<Possible> all;
    for (int i = 0; i < tops; ++i)
        for (int j = 0; j < lefts; ++j)
            all.push_back({window(top + i, left + j, rows_taken, columns_taken), 1.0 / (tops * lefts)});
    return all;
}

/// What became 0 is a rectangle of an area as stated, sides rounded; the rest stays.
void prove_erased(Findings& findings) {
    Image whole = original();
    double erased = 0;
    for (const Image& row : results("random_erase(x, 0.3, min_area: 0.2, max_area: 0.4, ratio: 2)", {height, width})) {
        int top = height, bottom = -1, left = width, right = -1, zeros = 0;
        bool kept = true;
        for (int i = 0; i < height * width; ++i) {
            if (row[size_t(i)] != 0) {
                kept = kept && row[size_t(i)] == whole[size_t(i)];
                continue;
            }
            ++zeros;
            top = std::min(top, i / width), bottom = std::max(bottom, i / width);
            left = std::min(left, i % width), right = std::max(right, i % width);
        }
        erased += zeros > 0;
        int rows_gone = bottom - top + 1, columns_gone = right - left + 1;
        bool area = rows_gone >= 1 && rows_gone <= 4 && columns_gone >= 1 && columns_gone <= 4;
        if (!kept || (zeros && (zeros != rows_gone * columns_gone || !area)))
            findings.error(fmt::format("random_erase leaves {}", fmt::join(row, " ")));
    }
    if (std::fabs(erased / many - 0.3) > 5 * std::sqrt(0.3 * 0.7 / many))
        findings.error(fmt::format("random_erase erases in {} of {} rows", erased, many));
}

} // namespace

void prove_augmentation(Findings& findings) {
    Shape same = {height, width};
    prove_shares("random_shift(x, 1)", same, windows(-1, 3, -1, 3, height, width), findings);
    prove_shares("random_crop(x, size: [4, 5], padding: 1)", same, windows(-1, 3, -1, 3, height, width), findings);
    prove_shares("random_crop(x, 3)", {3, 3}, windows(0, 2, 0, 3, 3, 3), findings);
    for (bool vertical : {false, true})
        prove_shares(fmt::format("random_flip(x, 0.3, mode: \"{}\")", vertical ? "vertical" : "horizontal"), same,
                     {{original(), 0.7}, {flipped(vertical), 0.3}}, findings);
    prove_erased(findings);
}

} // namespace gradc::library
