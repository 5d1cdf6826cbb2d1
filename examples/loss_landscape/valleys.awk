# Counts the valleys of a landscape: points whose loss is below that of all eight neighbors.
BEGIN { FS = "," }
FNR > 1 { loss[FNR - 2] = $3 }
END {
    side = int(sqrt(FNR - 1) + 0.5)
    for (at = side; at < side * (side - 1); at++) {
        if (at % side == 0 || at % side == side - 1) continue
        lowest = 1
        for (i = -1; i <= 1; i++)
            for (j = -1; j <= 1; j++)
                if ((i || j) && loss[at + i * side + j] <= loss[at]) lowest = 0
        valleys += lowest
    }
    print "valleys", valleys
}
