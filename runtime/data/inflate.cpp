// See inflate.h. Codes are looked up by their first bits; the rest of long ones in a table behind.
#include "runtime/data/inflate.h"
#include <algorithm>
#include <cstring>

namespace gradc::runtime {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bits are taken from words as they lie");

/// Behind the input come zeros, which are counted: a code that needs them is one that ends early.
void Inflater::refill_at_end() {
    bits_ &= held_ < 64 ? (uint64_t(1) << held_) - 1 : ~uint64_t(0); // above may lie parts of bytes not counted yet
    while (held_ <= 55) {
        if (at < bytes_.size()) {
            bits_ |= uint64_t(static_cast<unsigned char>(bytes_[at++])) << held_;
        } else {
            missing_ += 8;
        }
        held_ += 8;
    }
}

// ---- codes -------------------------------------------------------------------------------------

Inflater::Entry Inflater::letter(int symbol) {
    static constexpr uint16_t bases[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                         31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    static constexpr uint8_t extras[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                         2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    if (symbol < 256) return {uint16_t(symbol), literal, 0};
    if (symbol == 256) return {0, part_end, 0};
    if (symbol - 257 >= int(std::size(bases))) return {};
    return {bases[symbol - 257], extras[symbol - 257], 0};
}

Inflater::Entry Inflater::distance(int symbol) {
    if (symbol >= 30) return {};
    if (symbol < 4) return {uint16_t(symbol + 1), 0, 0};
    int extra = symbol / 2 - 1;
    return {uint16_t(((2 + symbol % 2) << extra) + 1), uint8_t(extra), 0};
}

static unsigned reversed(unsigned code, int length) {
    unsigned result = 0;
    for (int bit = 0; bit < length; ++bit) result |= (code >> bit & 1) << (length - 1 - bit);
    return result;
}

/// False for lengths that no code has: too many of one, or some bits that begin none, but for a code of a single bit.
template <class Meaning>
bool Inflater::make_codes(const uint8_t* lengths, int count, int table_bits, std::vector<Entry>& table,
                          Meaning meaning) {
    int counts[most_bits + 1] = {}, longest = 0;
    for (int symbol = 0; symbol < count; ++symbol) counts[lengths[symbol]]++;
    unsigned next[most_bits + 2] = {};
    int room = 1;
    counts[0] = 0;
    for (int length = 1; length <= most_bits; ++length) {
        room = 2 * room - counts[length];
        if (room < 0) return false;
        if (counts[length] > 0) longest = length;
        next[length + 1] = (next[length] + unsigned(counts[length])) << 1;
    }
    if (room > 0 && longest > 1) return false;
    size_t first = size_t(1) << table_bits, rest = size_t(1) << (most_bits - table_bits);
    table.assign(first, {});
    for (int symbol = 0; symbol < count; ++symbol) {
        int length = lengths[symbol];
        if (length == 0) continue;
        unsigned code = reversed(next[length]++, length);
        Entry entry = meaning(symbol);
        if (entry.base == 0 && entry.extra == 0) continue; // a symbol without a meaning: its bits stay without one
        entry.bits = uint8_t(length);
        if (length <= table_bits) {
            for (size_t at = code; at < first; at += size_t(1) << length) table[at] = entry;
            continue;
        }
        size_t begin = code & (first - 1);
        if (!(table[begin].extra & longer)) {
            table[begin] = {uint16_t(table.size()), longer, 0};
            table.resize(table.size() + rest);
        }
        for (size_t at = code >> table_bits; at < rest; at += size_t(1) << (length - table_bits))
            table[table[begin].base + at] = entry;
    }
    return true;
}

void Inflater::fixed_codes() {
    uint8_t lengths[288];
    for (int symbol = 0; symbol < 288; ++symbol)
        lengths[symbol] = symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
    make_codes(lengths, 288, letter_bits, letters_, letter);
    std::fill_n(lengths, 32, uint8_t(5));
    make_codes(lengths, 32, distance_bits, distances_, distance);
}

/// The codes of a part stand before it, their lengths coded themselves.
bool Inflater::read_codes(Inflation& fault) {
    static constexpr uint8_t order[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    fault = Inflation::damaged;
    refill();
    int letters = int(take(5)) + 257, distances = int(take(5)) + 1, given = int(take(4)) + 4;
    if (letters > 286 || distances > 30) return false;
    uint8_t lengths[286 + 30 + 138] = {};
    for (int i = 0; i < given; ++i) {
        if (i % 8 == 0) refill();
        lengths[order[i]] = uint8_t(take(3));
    }
    constexpr int length_bits = 7;
    std::vector<Entry> table;
    auto number = [](int symbol) { return Entry{uint16_t(symbol), literal, 0}; };
    bool good = make_codes(lengths, 19, length_bits, table, number);
    if (spent()) fault = Inflation::ends_early;
    if (!good || spent()) return false;
    std::fill(std::begin(lengths), std::end(lengths), uint8_t(0));
    for (int i = 0; i < letters + distances;) {
        refill();
        Entry entry = table[bits_ & ((1u << length_bits) - 1)];
        drop(entry.bits);
        int repeated = 1;
        if (entry.base == 16) repeated = 3 + int(take(2));
        if (entry.base == 17) repeated = 3 + int(take(3));
        if (entry.base == 18) repeated = 11 + int(take(7));
        if (spent()) fault = Inflation::ends_early;
        bool none = entry.bits == 0 || (entry.base == 16 && i == 0) || i + repeated > letters + distances;
        if (spent() || none) return false;
        uint8_t length = entry.base < 16 ? uint8_t(entry.base) : entry.base == 16 ? lengths[i - 1] : uint8_t(0);
        while (repeated-- > 0) lengths[i++] = length;
    }
    return lengths[256] != 0 && make_codes(lengths, letters, letter_bits, letters_, letter) &&
           make_codes(lengths + letters, distances, distance_bits, distances_, distance);
}

// ---- the parts of a stream ---------------------------------------------------------------------

/// Eight bytes at a time, up to seven too many; `overrun` bytes of room are there.
static inline void copy(unsigned char* to, size_t back, size_t length) {
    const unsigned char* from = to - back;
    if (back == 1) {
        std::memset(to, *from, length);
    } else if (back >= 8) {
        for (unsigned char* end = to + length; to < end; to += 8, from += 8) std::memcpy(to, from, 8);
    } else {
        for (unsigned char* end = to + length; to < end; ++to, ++from) *to = *from;
    }
}

/// As many letters as there are with input and room to spare; all that changes is in local variables.
Inflater::Run Inflater::many_letters() {
    const char *from = bytes_.data() + at, *last = bytes_.data() + bytes_.size() - 16;
    unsigned char *begin = out_.data() + begin_, *to = out_.data() + filled;
    const unsigned char* full = out_.data() + out_.size() - overrun;
    const Entry *letters = letters_.data(), *distances = distances_.data();
    uint64_t bits = bits_;
    unsigned held = held_;
    Run run = Run::on;
    auto fill = [&] { // at least 56 bits
        uint64_t next;
        std::memcpy(&next, from, sizeof next);
        bits |= next << held;
        from += (63 - held) >> 3;
        held |= 56;
    };
    auto find = [&](const Entry* table, int table_bits) {
        Entry entry = table[bits & ((1u << table_bits) - 1)];
        if (entry.extra & longer)
            entry = table[entry.base + ((bits >> table_bits) & ((1u << (most_bits - table_bits)) - 1))];
        bits >>= entry.bits, held -= entry.bits;
        return entry;
    };
    auto more = [&](Entry entry) {
        size_t number = entry.base + (bits & ((1u << entry.extra) - 1));
        bits >>= entry.extra, held -= entry.extra;
        return number;
    };
    while (run == Run::on && from < last && to < full) {
        fill();
        Entry entry = find(letters, letter_bits);
        if (entry.extra & literal) { // two of these and one more code: 45 bits
            *to++ = uint8_t(entry.base);
            entry = find(letters, letter_bits);
            if (entry.extra & literal) {
                *to++ = uint8_t(entry.base);
                entry = find(letters, letter_bits);
            }
        }
        if (entry.extra & literal) {
            *to++ = uint8_t(entry.base);
        } else if (entry.bits == 0 || entry.extra & part_end) {
            run = entry.bits == 0 ? Run::damaged : Run::ended;
        } else {
            fill();
            size_t length = more(entry);
            entry = find(distances, distance_bits);
            size_t back = more(entry);
            if (entry.bits == 0 || back > size_t(to - begin)) {
                run = Run::damaged;
                break;
            }
            copy(to, back, length);
            to += length;
        }
    }
    at = size_t(from - bytes_.data()), filled = size_t(to - out_.data());
    bits_ = bits, held_ = held;
    return run;
}

/// One letter or one copy, near the end of the input.
Inflater::Run Inflater::one_letter() {
    refill();
    Entry entry = find(letters_, letter_bits);
    size_t length = entry.base + (entry.extra & (literal | part_end) ? 0 : take(entry.extra));
    if (spent()) return Run::short_of_input;
    if (entry.bits == 0) return short_of(most_bits) ? Run::short_of_input : Run::damaged;
    if (entry.extra & part_end) return Run::ended;
    if (entry.extra & literal) return out_[filled++] = uint8_t(entry.base), Run::on;
    entry = find(distances_, distance_bits);
    size_t back = entry.base + take(entry.extra);
    if (spent()) return Run::short_of_input;
    if (entry.bits == 0) return short_of(most_bits) ? Run::short_of_input : Run::damaged;
    if (back > filled - begin_) return Run::damaged;
    copy(out_.data() + filled, back, length);
    filled += length;
    return Run::on;
}

Inflation Inflater::letters() {
    Run run = Run::on;
    while (run == Run::on) {
        if (out_.size() - filled < 2 * overrun) out_.resize(out_.size() + out_.size() / 2 + 8 * overrun);
        run = bytes_.size() - at > 16 ? many_letters() : one_letter();
    }
    return run == Run::ended ? Inflation::whole : run == Run::damaged ? Inflation::damaged : Inflation::ends_early;
}

/// Bytes as they are, after their number and its complement.
Inflation Inflater::stored() {
    drop(held_ % 8);
    refill();
    auto length = size_t(take(16)), complement = size_t(take(16));
    if (spent()) return Inflation::ends_early;
    if (length != (complement ^ 0xffff)) return Inflation::damaged;
    at -= (held_ - missing_) / 8; // bytes that were taken in but not used
    bits_ = held_ = missing_ = 0;
    size_t there = std::min(length, bytes_.size() - at);
    if (out_.size() - filled < there) out_.resize(filled + there + out_.size() / 2 + overrun);
    std::memcpy(out_.data() + filled, bytes_.data() + at, there);
    at += there, filled += there;
    return there == length ? Inflation::whole : Inflation::ends_early;
}

Inflation Inflater::part(bool& last) {
    refill();
    last = take(1) != 0;
    uint64_t kind = take(2);
    if (spent()) return Inflation::ends_early;
    if (kind == 0) return stored();
    if (kind == 3) return Inflation::damaged;
    Inflation fault = Inflation::whole;
    if (kind == 1) fixed_codes();
    if (kind == 2 && !read_codes(fault)) return fault;
    return letters();
}

Inflation Inflater::stream() {
    bits_ = held_ = missing_ = 0;
    begin_ = filled;
    Inflation result = Inflation::whole;
    for (bool last = false; !last && result == Inflation::whole;) result = part(last);
    at -= (held_ > missing_ ? held_ - missing_ : 0) / 8;
    return result;
}

} // namespace gradc::runtime
