// Deflate (RFC 1951), from memory to memory: what gzip files hold. All input and room for much output are at hand,
// which makes it half of zlib's time, and less code; the checksum is still zlib's.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace gradc::runtime {

enum class Inflation { whole, ends_early, damaged };

/// One deflate stream at a time.
class Inflater {
public:
    /// Bytes from `at` on; results are written to `out` from `filled` on, which grows as it must.
    Inflater(std::string_view bytes, std::vector<unsigned char>& out) : bytes_(bytes), out_(out) {}
    Inflation stream();

    size_t at = 0;     // behind the last byte that was needed
    size_t filled = 0; // bytes of `out` that are results

private:
    /// What comes next for some bits: how many of them count, how many more belong to the number, and
    /// where that begins.
    struct Entry {
        uint16_t base = 0;
        uint8_t extra = 0; // or one of the marks below
        uint8_t bits = 0;  // 0: no code begins so
    };
    static constexpr uint8_t literal = 0x80, part_end = 0x40, longer = 0x20; // longer: base is where the rest lies
    static constexpr int letter_bits = 11, distance_bits = 8, most_bits = 15;
    static constexpr size_t overrun = 512; // bytes that a copy may write beyond its end, and more

    Inflation part(bool& last);
    Inflation stored();
    bool read_codes(Inflation& fault);
    void fixed_codes();
    template <class Meaning>
    static bool make_codes(const uint8_t* lengths, int count, int table_bits, std::vector<Entry>& table,
                           Meaning meaning);
    static Entry letter(int symbol);
    static Entry distance(int symbol);
    Entry find(const std::vector<Entry>& table, int table_bits) {
        Entry entry = table[bits_ & ((1u << table_bits) - 1)];
        if (entry.extra & longer)
            entry = table[entry.base + ((bits_ >> table_bits) & ((1u << (most_bits - table_bits)) - 1))];
        drop(entry.bits);
        return entry;
    }
    enum class Run { on, ended, damaged, short_of_input };
    Run many_letters();
    Run one_letter();
    Inflation letters();

    /// At least 56 bits, or all that are left and zeros.
    void refill() {
        if (bytes_.size() - at >= 8) {
            uint64_t next;
            __builtin_memcpy(&next, bytes_.data() + at, 8);
            bits_ |= next << held_;
            at += (63 - held_) >> 3;
            held_ |= 56;
            return;
        }
        refill_at_end();
    }
    void refill_at_end();
    void drop(unsigned count) { bits_ >>= count, held_ -= count; }
    uint64_t take(unsigned count) {
        uint64_t value = bits_ & ((uint64_t(1) << count) - 1);
        drop(count);
        return value;
    }
    bool spent() const { return held_ < missing_; } // more was taken than there was
    bool short_of(unsigned count) const { return held_ < missing_ + count; }

    std::string_view bytes_;
    std::vector<unsigned char>& out_;
    uint64_t bits_ = 0;
    unsigned held_ = 0;    // bits in bits_, those made up behind the end of the input counted
    unsigned missing_ = 0; // of these, made up
    size_t begin_ = 0;     // of this stream's results: distances do not reach before
    std::vector<Entry> letters_, distances_;
};

} // namespace gradc::runtime
