# Draws the plots of a report: gnuplot -e "folder='DIRECTORY'" plots.gp
# Each series of points.csv becomes DIRECTORY/SERIES.svg.
set datafile separator ","
set terminal svg size 720,500 font "sans,12" background "white" noenhanced
set key below
set logscale xy
set grid
set offsets graph 0.03, graph 0.03, graph 0.05, graph 0.05
points = folder . "/points.csv"

titles = "file-size|threads-read|threads-create|names|connections|fresh-copies"
xs = "bytes of the file|threads|threads|files in the directory|connections|MiB of the database"
ys = "ns per KiB|ns per operation|ns per operation|ns per file|ns per commit and read|us per test"

series(i) = system("printf '%s' '" . titles . "' | cut -d'|' -f" . i)
across(i) = system("printf '%s' '" . xs . "' | cut -d'|' -f" . i)
upward(i) = system("printf '%s' '" . ys . "' | cut -d'|' -f" . i)
# The names of those that took part in a series, with '~' for a space, in the order of the file.
taking_part(s) = system("awk -F, '$1 == \"" . s . "\" && !seen[$2]++ { gsub(/ /, \"~\", $2); print $2 }' " . points)
rows(s, c) = "< awk -F, '{ name = $2; gsub(/ /, \"~\", name) } $1 == \"" . s . "\" && name == \"" . c . "\"' " . points

do for [i = 1:6] {
    s = series(i)
    names = taking_part(s)
    if (words(names) > 0) {
        set output folder . "/" . s . ".svg"
        set title s
        set xlabel across(i)
        set ylabel upward(i)
        plot for [n = 1:words(names)] rows(s, word(names, n)) using 3:4:5:6 with yerrorlines \
            pointtype 7 pointsize 0.4 title system("echo '" . word(names, n) . "' | tr '~' ' '")
        unset output
    }
}
