// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One case for each dtype.
#include "runtime/base/dtype.h"
#include "runtime/base/text.h"

namespace gradc::runtime {

int64_t element_size(int32_t dtype) {
    switch (dtype) {
    case GRADC_F64:
    case GRADC_I64: return 8;
    case GRADC_F32:
    case GRADC_I32: return 4;
    case GRADC_BF16:
    case file_f16: return 2;
    default: return 1;
    }
}

const char* dtype_name(int32_t dtype) {
    static constexpr const char* names[] = {"f32", "f64", "bf16", "i32", "i64", "u8", "bool", "f16"};
    return dtype >= 0 && dtype <= file_f16 ? names[dtype] : "?";
}

template <class Number> static double load_as(const unsigned char* at) {
    Number number;
    memcpy(&number, at, sizeof number);
    return double(number);
}
template <class Number> static void store_as(unsigned char* at, double value) {
    Number number = Number(value);
    memcpy(at, &number, sizeof number);
}

double load_half(const unsigned char* at) {
    uint16_t bits;
    memcpy(&bits, at, 2);
    int exponent = bits >> 10 & 31;
    double fraction = bits & 1023;
    double size = exponent == 0    ? fraction * 0x1p-24
                  : exponent == 31 ? (fraction == 0 ? 1e300 * 1e300 : __builtin_nan(""))
                                   : (1024 + fraction) * (double(1u << exponent) * 0x1p-25);
    return bits >> 15 ? -size : size;
}

double load_element(const unsigned char* at, int32_t dtype) {
    switch (dtype) {
    case GRADC_F32: return load_as<float>(at);
    case GRADC_F64: return load_as<double>(at);
    case GRADC_I32: return load_as<int32_t>(at);
    case GRADC_I64: return load_as<int64_t>(at);
    case GRADC_BF16: {
        uint32_t bits = uint32_t(at[0]) << 16 | uint32_t(at[1]) << 24;
        float number;
        memcpy(&number, &bits, 4);
        return number;
    }
    case file_f16: return load_half(at);
    default: return *at;
    }
}

static void store_bf16(unsigned char* at, double value) {
    float number = float(value);
    uint32_t bits;
    memcpy(&bits, &number, 4);
    bool is_nan = (bits & 0x7FFFFFFF) > 0x7F800000;
    bits = is_nan ? bits | 0x400000 : bits + 0x7FFF + (bits >> 16 & 1); // to nearest, ties to even
    at[0] = uint8_t(bits >> 16);
    at[1] = uint8_t(bits >> 24);
}

void store_element(unsigned char* at, int32_t dtype, double number) {
    switch (dtype) {
    case GRADC_F32: return store_as<float>(at, number);
    case GRADC_F64: return store_as<double>(at, number);
    case GRADC_I32: return store_as<int32_t>(at, number);
    case GRADC_I64: return store_as<int64_t>(at, number);
    case GRADC_BF16: return store_bf16(at, number);
    default: *at = uint8_t(number);
    }
}

template <class Bits> static void replace_nans(unsigned char* at, int64_t count, Bits infinity, Bits quiet) {
    for (int64_t i = 0; i < count; i++, at += sizeof(Bits)) {
        Bits bits;
        memcpy(&bits, at, sizeof bits);
        if (Bits(bits << 1) > Bits(infinity << 1)) memcpy(at, &quiet, sizeof quiet); // without the sign
    }
}

void make_nans_canonical(unsigned char* at, int64_t bytes, int32_t dtype) {
    if (dtype == GRADC_F32) replace_nans<uint32_t>(at, bytes / 4, 0x7F800000, 0x7FC00000);
    if (dtype == GRADC_F64) replace_nans<uint64_t>(at, bytes / 8, 0x7FF0000000000000, 0x7FF8000000000000);
    if (dtype == GRADC_BF16) replace_nans<uint16_t>(at, bytes / 2, 0x7F80, 0x7FC0);
}

void integer_range(int32_t dtype, double& low, double& high) {
    low = 0, high = dtype == GRADC_BOOL ? 1 : 255;
    if (dtype == GRADC_I32) low = -2147483648.0, high = 2147483647.0;
    if (dtype == GRADC_I64) low = -9007199254740992.0, high = 9007199254740992.0;
}

std::string shape_text(const int64_t* shape, int rank, bool has_rows) {
    std::string result = "[";
    for (int axis = 0; axis < rank; axis++) {
        if (axis > 0) result += ", ";
        result += axis == 0 && has_rows ? std::string("N") : integer(shape[axis]);
    }
    return result + "]";
}

} // namespace gradc::runtime
