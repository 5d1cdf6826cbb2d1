// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The algebra of indices: exact quotients vanish, and a quotient joins with its remainder.
#include "compiler/plan/index.h"
#include <catch2/catch.hpp>

using namespace gradc;

TEST_CASE("quotients and remainders of divisible indices are simplified") {
    Indices indices(8);
    Index i = indices.axis(5), j = indices.axis(7);
    Index linear = indices.sum(indices.scaled(i, 7), j);
    CHECK(indices.quotient(linear, 7) == i);
    CHECK(indices.remainder(linear, 7) == j);
    CHECK(indices.quotient(indices.shifted(linear, 14), 7) == indices.shifted(i, 2));
}

TEST_CASE("a quotient and its remainder are joined to the dividend") {
    Indices indices(8);
    Index i = indices.axis(35);
    Index q = indices.quotient(i, 6), r = indices.remainder(i, 6);
    CHECK(q.terms != i.terms);
    CHECK(indices.sum(indices.scaled(q, 6), r) == i);
    CHECK(indices.sum(indices.scaled(q, 18), indices.scaled(r, 3)) == indices.scaled(i, 3));
    CHECK(indices.quotient(i, 6) == q);
    CHECK(indices.range(q) == std::pair<int64_t, int64_t>(0, 5));
}

TEST_CASE("negative positions round down") {
    Indices indices(8);
    Index i = indices.axis(10);
    Index before = indices.shifted(indices.scaled(i, 1), -4);
    auto [low, high] = indices.range(indices.quotient(before, 3));
    CHECK(low == -2);
    CHECK(high >= 1);
    CHECK(indices.range(indices.remainder(before, 3)) == std::pair<int64_t, int64_t>(0, 2));
}

TEST_CASE("the index of an axis of one element is 0") {
    Indices indices(1);
    CHECK(indices.axis(1) == Index{});
    CHECK(indices.axis(rows) == Index{});
    CHECK(indices.lies_within(indices.shifted(indices.axis(4), 1), 5));
    CHECK_FALSE(indices.lies_within(indices.shifted(indices.axis(4), 2), 5));
}
