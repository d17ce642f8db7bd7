#!/bin/sh
# Makes loop.flv, the test stream that golive publishes: a test card that says what it is, and a tone.
# Needs ffmpeg with libx264 and drawtext. Run it in this folder; the result is committed.
#
# 48 frames at 25 frames/s last exactly as long as 90 AAC frames of 1024 samples at 48 kHz (1.92 s), so
# the loop repeats without a gap. One keyframe, at the start; two B-frames, which no
# other picture needs, between the others, as streaming encoders have them: what a full queue drops first.
set -eu
ffmpeg -hide_banner -loglevel error -y \
  -f lavfi -i "smptehdbars=size=640x360:rate=25:duration=1.92" \
  -f lavfi -i "color=white:size=16x16:rate=25:duration=1.92" \
  -f lavfi -i "sine=frequency=440:sample_rate=48000:duration=1.92" \
  -filter_complex "[0:v]drawbox=x=0:y=140:w=640:h=80:color=black:t=fill,\
drawtext=font=DejaVu Sans:text='network rehearsal':fontcolor=white:fontsize=48:x=(w-text_w)/2:y=(h-text_h)/2[card];\
[card][1:v]overlay=x='mod(n*13,624)':y=236,format=yuv420p[v];[2:a]volume=0.1[a]" \
  -map "[v]" -map "[a]" \
  -c:v libx264 -profile:v main -preset veryslow -crf 28 -bf 2 -g 48 -keyint_min 48 -sc_threshold 0 \
  -x264-params b-adapt=0:b-pyramid=none \
  -c:a aac -b:a 48k -ac 2 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact \
  -t 1.92 -f flv -flvflags no_duration_filesize loop.flv
