#!/usr/bin/perl
# What a guest does on command, and both ends of AF_VSOCK for hosts and tests:
#
#   client.pl serve [PORT]                 in a guest: HTTP/1.1 over AF_VSOCK, on port 1024
#   client.pl console                      in a guest: "do METHOD PATH" in, a line "answer STATUS BODY" out
#   client.pl stdio                        one HTTP request on standard input, for tests
#   client.pl frames INTERFACE             every frame that passes there, in hexadecimal, for tests
#   client.pl ask CID METHOD PATH [PORT]   a request to a guest; fails unless the answer is a 2xx
#   client.pl listen PORT                  says who asks what, by the CID that the kernel vouches for
#   client.pl relay PORT CID TO [LOSE]     connects whoever comes to PORT on to port TO of CID, as root; LOSE a byte
#
# Nothing but strict.pm is used, so that Debian's perl binary is all that a guest needs. Each
# connection is a process of its own, so that a slow peer blocks nobody; what a command leaves
# behind (memory, processes) is held by processes with a file in $HELD, and ends by POST /free.
use strict;

my ($AF_INET, $AF_VSOCK, $AF_PACKET, $STREAM, $RAW) = (2, 40, 17, 1, 3);
our $connection;
my ($CID_ANY, $WNOHANG, $ETIMEDOUT) = (0xffffffff, 1, 110);
my ($CONNECTIONS_MAX, $SECONDS_MAX, $HEAD_BYTES_MAX, $BODY_BYTES_MAX) = (16, 30, 8192, 65536);
# For whatever is done between a request and its answer; a guest under emulation takes its time.
my $ANSWER_SECONDS_MAX = 100;
my $HELD = '/tmp/held';

my %ROUTES = (
  'GET /ping' => sub { 'pong' },
  'GET /facts' => \&facts,
  'POST /burn' => \&burn,
  'GET /work' => \&work,
  'POST /eat' => \&eat,
  'POST /free' => \&free_all,
  'POST /fork' => \&fork_many,
  'POST /spoof' => \&spoof,
  'POST /frame' => \&frame,
  'POST /flood' => \&flood,
  'GET /echo' => \&echo,
  'GET /tcp' => \&tcp,
  'GET /resolve' => \&resolve,
  'POST /request' => \&request_over_vsock,
  'POST /run' => \&run_line,
  'POST /write' => sub { disk_io('>', @_) },
  'GET /read' => sub { disk_io('<', @_) },
  'POST /poweroff' => sub { hold(sub { sleep 1; exec 'poweroff', '-f' }); 'powers off' },
);

# A refusal is a die with "STATUS words"; anything else that dies is our own fault.
sub refuse { die "$_[0] $_[1]\n" }

# The text of a file without its newline, empty if it cannot be read.
sub text_of {
  open my $file, '<', $_[0] or return '';
  local $/;
  my $text = <$file> // '';
  $text =~ s/\s+$//;
  return $text;
}

# The names in a folder that match, none if there is no such folder. (glob would need a module.)
sub names_in {
  my ($folder, $like) = @_;
  opendir my $names, $folder or return;
  return sort grep { /$like/ } readdir $names;
}

sub number {
  my ($query, $name, $max) = @_;
  my $value = $query->{$name} // refuse(400, "$name is missing");
  $value =~ /^[0-9]{1,10}$/ && $value >= 1 && $value <= $max or refuse(400, "$name must be from 1 to $max");
  return $value + 0;
}

sub json_text {
  my $text = shift;
  $text =~ s/(["\\\x00-\x1f\x7f-\xff])/sprintf '\\u%04x', ord $1/ge;
  return "\"$text\"";
}

sub facts {
  my ($uptime) = text_of('/proc/uptime') =~ /^(\d+)/;
  my $vcpus = () = text_of('/proc/stat') =~ /^cpu\d/mg;
  my ($kib) = text_of('/proc/meminfo') =~ /^MemTotal:\s+(\d+)/m;
  my @disks = map {
    sprintf '{"name":%s,"serial":%s,"bytes":%s}', json_text($_),
      json_text(text_of("/sys/block/$_/serial")), 512 * text_of("/sys/block/$_/size");
  } names_in('/sys/block', qr/^vd/);
  my @addresses = map { json_text($_) } `ip -o -4 addr show dev eth0 2>/dev/null` =~ /inet ([0-9.]+)/g;
  return sprintf '{"name":%s,"uptimeSeconds":%d,"vcpus":%d,"memoryMiB":%d,"disks":[%s],"addresses":[%s],"bootId":%s}',
    json_text(text_of('/proc/sys/kernel/hostname')), $uptime, $vcpus, $kib / 1024, join(',', @disks),
    join(',', @addresses), json_text(text_of('/proc/sys/kernel/random/boot_id'));
}

# Runs what must outlive the request in a process of its own; returns once that says it is ready,
# which it does by closing the pipe that it is given, or by ending.
sub hold {
  my ($work) = @_;
  mkdir $HELD;
  pipe my $wait, my $ready or die $!;
  defined(my $pid = fork) or refuse(503, "cannot fork: $!");
  if ($pid == 0) {
    alarm 0;
    $SIG{$_} = 'DEFAULT' for qw(ALRM CHLD TERM);
    close $wait;
    close $connection if $connection;
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', '/dev/null';
    $work->($ready);
    unlink "$HELD/$$";
    exit 0;
  }
  open my $note, '>', "$HELD/$pid" or die $!;
  close $note;
  close $ready;
  sysread $wait, my $byte, 1;
}

sub burn {
  my ($query) = @_;
  my $seconds = number($query, 'seconds', 3600);
  my $vcpus = number({ vcpus => 1, %$query }, 'vcpus', 64);
  my $end = time + $seconds;
  hold(sub { close $_[0]; while (time < $end) { for (1 .. 100_000) { } } }) for 1 .. $vcpus;
  return "burns $vcpus for $seconds s";
}

# So many rounds of a loop: how long they take is for somebody to say whose clock is right.
sub work {
  my $rounds = number($_[0], 'rounds', 1_000_000);
  for (1 .. $rounds) { for (1 .. 1_000) { } }
  return 'done';
}

sub eat {
  my $mib = number($_[0], 'mib', 65536);
  hold(sub {
    my @held;
    push @held, chr(33 + $_ % 90) x 1048576 for 1 .. $mib;
    close $_[0];
    sleep 1 while 1;
  });
  return "holds $mib MiB";
}

sub fork_many {
  my $count = number($_[0], 'count', 10_000);
  hold(sub { close $_[0]; sleep 1000 while 1 }) for 1 .. $count;
  return "holds $count processes";
}

sub free_all {
  my @pids = names_in($HELD, qr/^[0-9]+$/);
  kill 'KILL', @pids;
  unlink map { "$HELD/$_" } @pids;
  return 'ended ' . @pids;
}

sub mac {
  ($_[0] // '') =~ /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/ or refuse(400, 'mac must be six bytes, as in 52:54:00:00:00:01');
  return pack 'H2' x 6, split /:/, $_[0];
}

sub ip {
  my @bytes = ($_[0] // '') =~ /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
  @bytes == 4 && !grep { $_ > 255 } @bytes or refuse(400, 'ip and to must be IPv4 addresses');
  return pack 'C4', @bytes;
}

# An ARP request that claims to come from another machine, both in the frame and inside.
sub spoof {
  my ($query) = @_;
  my ($mac, $ip, $to) = (mac($query->{mac}), ip($query->{ip}), ip($query->{to}));
  return send_frame(pack 'a6 a6 n n n C C n a6 a4 x6 a4 x18', "\xff" x 6, $mac, 0x0806, 1, 0x0800, 6, 4, 1, $mac, $ip, $to);
}

# Any frame at all, as it stands; of several, a thousand a second at most.
sub frame {
  my ($query) = @_;
  my $count = number({ count => 1, %$query }, 'count', 100_000);
  ($query->{hex} // '') =~ /^((?:[0-9a-f]{2}){14,1514})$/ or refuse(400, 'hex must be 14 to 1514 bytes');
  my $said = send_frame(my $frame = pack 'H*', $1);
  for (2 .. $count) { select undef, undef, undef, 0.001; send_frame($frame) }
  return $said;
}

# As many datagrams as it can send.
sub flood {
  my ($query) = @_;
  my $end = time + number($query, 'seconds', 3600);
  my $to = pack 'S n a4 x8', $AF_INET, 9, ip($query->{to});
  my $datagram = 'x' x number({ bytes => 1000, %$query }, 'bytes', 65_000);
  hold(sub {
    close $_[0];
    socket my $udp, $AF_INET, 2, 0 or die "socket: $!";
    while (time < $end) { for (1 .. 1_000) { send $udp, $datagram, 0, $to } }
  });
  return 'floods';
}

sub send_frame {
  my ($frame) = @_;
  socket my $raw, $AF_PACKET, $RAW, 0 or die "packet socket: $!";
  my $to = packet_address(interface_index('eth0'), unpack 'x12 n', $frame);
  send $raw, $frame, 0, $to or refuse(409, "cannot send: $!");
  return 'sent ' . length $frame;
}

sub interface_index { text_of("/sys/class/net/$_[0]/ifindex") || refuse(409, "there is no $_[0]") }
sub packet_address { pack 'S n i S C C a8', $AF_PACKET, $_[1], $_[0], 1, 0, 6, "\xff" x 6 }

# How many of so many pings are answered, a second or less apart.
sub echo {
  my ($query) = @_;
  my $to = join '.', unpack 'C4', ip($query->{to});
  my $count = number($query, 'count', 10_000);
  my $wait = number({ wait => 2, %$query }, 'wait', 30);
  my ($every) = ($query->{every} // '0.2') =~ /^([01](?:\.\d)?)$/ or refuse(400, 'every must be seconds, as in 0.2');
  my ($got) = `ping -q -c $count -i $every -W $wait $to 2>&1` =~ /(\d+) packets received/;
  return ($got // 0) . " of $count";
}

# Whether a connection is made within three seconds.
sub tcp {
  my ($query) = @_;
  my $address = pack 'S n a4 x8', $AF_INET, number($query, 'port', 65535), ip($query->{to});
  socket my $peer, $AF_INET, $STREAM, 0 or die $!;
  local $SIG{ALRM} = sub { die "too late\n" };
  my $made = eval { alarm 3; my $is = connect $peer, $address; alarm 0; $is };
  return $made ? 'connected' : $@ eq "too late\n" ? 'silence' : "refused: $!";
}

sub resolve {
  my ($query) = @_;
  my ($name) = ($query->{name} // '') =~ /^([a-z0-9._-]{1,63})$/ or refuse(400, 'name must be one of a host');
  my $server = join '.', unpack 'C4', ip($query->{server});
  my ($answer) = `nslookup $name $server 2>&1` =~ /Name:.*?Address[^:]*:\s*([0-9.]+)/s;
  return $answer // 'nothing';
}

sub frames {
  my ($interface) = @_;
  my $ALL = 0x0003;
  socket my $raw, $AF_PACKET, $RAW, unpack 'S', pack 'n', $ALL or die "packet socket: $!\n";
  # SO_RCVBUFFORCE: who is held up for a while misses nothing.
  setsockopt $raw, 1, 33, pack 'i', 1 << 24 or die "no room for frames: $!\n";
  bind $raw, packet_address(interface_index($interface), $ALL) or die "cannot bind: $!\n";
  syswrite STDOUT, "listens\n";
  syswrite STDOUT, unpack('H*', $_) . "\n" while defined(recv $raw, $_, 65536, 0);
}

sub disk_io {
  my ($mode, $query) = @_;
  my $disk = $query->{disk} // '';
  $disk =~ /^vd[a-z]$/ && -e "/sys/block/$disk" or refuse(404, 'no such disk');
  my $mib = number($query, 'mib', 65536);
  open my $device, $mode eq '>' ? '+<' : '<', "/dev/$disk" or refuse(409, "cannot open $disk: $!");
  my $block = 'unnest' x 174762 . 'unne'; # a MiB
  for my $done (1 .. $mib) {
    my $count = $mode eq '>' ? syswrite $device, $block : sysread $device, $block, 1048576;
    $count or refuse(507, 'the disk ends after ' . ($done - 1) . " MiB: $!");
  }
  close $device; # with the last opener gone, the kernel writes its pages out
  return ($mode eq '>' ? 'wrote' : 'read') . " $mib MiB";
}

sub vsock_address { pack 'S S L L x4', $AF_VSOCK, 0, $_[1], $_[0] }
sub cid_of { (unpack 'S S L L', $_[0])[3] }

# One HTTP request over AF_VSOCK; returns the status and the body.
sub exchange {
  my ($cid, $port, $method, $path, $seconds, $from) = @_;
  local $SIG{ALRM} = sub { refuse(504, 'no answer in time') };
  alarm $seconds;
  socket my $peer, $AF_VSOCK, $STREAM, 0 or refuse(502, "no AF_VSOCK: $!");
  !$from or bind $peer, vsock_address($CID_ANY, $from) or refuse(502, "cannot take port $from: $!");
  connect $peer, vsock_address($cid, $port) or refuse(502, "cannot connect to $cid:$port: $!");
  syswrite $peer, "$method $path HTTP/1.1\r\nhost: unnest\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
  my $answer = '';
  1 while length $answer < 1048576 && sysread $peer, $answer, 65536, length $answer;
  alarm $ANSWER_SECONDS_MAX;
  $answer =~ m{^HTTP/1\.[01] (\d{3})[^\n]*\n.*?\r?\n\r?\n(.*)$}s or refuse(502, 'the answer is no HTTP');
  return ($1, $2);
}

sub request_over_vsock {
  my ($query) = @_;
  my ($cid, $port) = map { number($query, $_, $CID_ANY - 1) } 'cid', 'port';
  my ($method, $path) = ($query->{method} // 'GET', $query->{path} // '/');
  $method =~ /^[A-Z]{1,10}$/ or refuse(400, 'method must be a word in capitals');
  $path =~ m{^/[!-~]*$} or refuse(400, 'path must begin with a slash');
  my $from = exists $query->{from} ? number($query, 'from', 65535) : 0;
  my ($status, $body) = exchange($cid, $port, $method, $path, 20, $from);
  return sprintf '{"status":%d,"body":%s}', $status, json_text($body);
}

# What a line of shell says, both ways, and how it ends.
sub run_line {
  my ($query) = @_;
  my $line = $query->{line} // refuse(400, 'line is missing');
  my $said = `{ $line\n} 2>&1`;
  my $code = $? >> 8;
  return substr($said, 0, $BODY_BYTES_MAX) . "exit $code";
}

# What METHOD and TARGET amount to: a status and a text of one line.
sub answer_to {
  my ($method, $target) = @_;
  my ($path, $rest) = split /\?/, $target, 2;
  my $route = $ROUTES{"$method $path"};
  return (405, "$path takes another method") if !$route && grep { / \Q$path\E$/ } keys %ROUTES;
  return (404, 'no such path') if !$route;
  my %query = map { my ($name, $value) = split /=/, $_, 2; ($name => ($value // '') =~ s/%([0-9a-fA-F]{2})/chr hex $1/ger) }
    split /&/, $rest // '';
  my $text = eval { $route->(\%query) };
  return (200, $text) if defined $text;
  return $@ =~ /^(\d{3}) (.*)$/ ? ($1, $2) : (500, $@ =~ s/\s+/ /gr);
}

# Reads one request; returns method, target and body, or dies as a refusal.
sub read_request {
  my ($peer) = @_;
  my $text = '';
  until ($text =~ /\r?\n\r?\n/) {
    length $text <= $HEAD_BYTES_MAX or refuse(431, 'the head is too long');
    sysread $peer, $text, 4096, length $text or refuse(400, 'the head is not complete');
  }
  my ($head, $body) = split /\r?\n\r?\n/, $text, 2;
  $head =~ m{^([A-Z]{1,10}) (/[!-~]*) HTTP/1\.[01]\r?(?:\n|$)} or refuse(400, 'not an HTTP/1.1 request');
  my ($method, $target) = ($1, $2);
  $head =~ /^transfer-encoding:/mi and refuse(501, 'chunks are not understood');
  my ($length) = $head =~ /^content-length:[ \t]*(\d{1,9})[ \t]*\r?$/mi;
  ($length //= 0) <= $BODY_BYTES_MAX or refuse(413, 'the body is too long');
  while (length $body < $length) {
    sysread $peer, $body, $length - length $body, length $body or refuse(400, 'the body is not complete');
  }
  return ($method, $target, substr $body, 0, $length);
}

sub http_answer {
  my ($status, $text) = @_;
  my $type = $text =~ /^\{/ ? 'application/json' : 'text/plain';
  return sprintf "HTTP/1.1 %d unnest\r\ncontent-type: %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s\n",
    $status, $type, 1 + length $text, $text;
}

sub serve_one {
  my ($in, $out) = @_;
  $SIG{ALRM} = sub { exit 1 }; # a peer that does not come to the point
  alarm $SECONDS_MAX;
  my ($method, $target) = eval { read_request($in) };
  alarm $ANSWER_SECONDS_MAX;
  my ($status, $text) = defined $target ? answer_to($method, $target) : $@ =~ /^(\d{3}) (.*)$/;
  syswrite $out, http_answer($status // 500, $text // 'failed');
}

sub listen_on {
  my ($port, $queue) = @_;
  socket my $server, $AF_VSOCK, $STREAM, 0 or die "no AF_VSOCK: $!\n";
  bind $server, vsock_address($CID_ANY, $port) or die "cannot bind port $port: $!\n";
  listen $server, $queue // $CONNECTIONS_MAX or die "cannot listen: $!\n";
  return $server;
}

# Accepts for ever, each connection in a process of its own, so many at a time.
sub each_connection {
  my ($server, $work, $max) = @_;
  my $children = 0;
  while (1) {
    $children-- while waitpid(-1, $children < ($max // $CONNECTIONS_MAX) ? $WNOHANG : 0) > 0;
    my $address = accept $connection, $server or next;
    my $pid = fork // next;
    if ($pid == 0) {
      close $server;
      $work->($connection, cid_of($address));
      exit 0;
    }
    $children++;
    close $connection;
  }
}

sub console {
  $SIG{CHLD} = 'IGNORE'; # nobody waits for what it holds
  my $name = text_of('/proc/sys/kernel/hostname');
  while (defined(my $line = <STDIN>)) {
    $line =~ s/\s+$//;
    next if $line eq '';
    my ($status, $text) = $line =~ m{^do ([A-Z]{1,10}) (/[!-~]*)$} ? answer_to($1, $2) : (400, 'say: do METHOD PATH');
    syswrite STDOUT, "unnest-guest $name answer $status $text\n";
  }
}

sub witness {
  my ($peer, $cid) = @_;
  alarm $SECONDS_MAX;
  my ($method, $target, $body) = eval { read_request($peer) };
  return syswrite $peer, http_answer($@ =~ /^(\d{3}) (.*)$/) if !defined $target;
  syswrite STDOUT, "cid=$cid $method $target " . ($body =~ s/[^ -~]/?/gr) . "\n";
  syswrite $peer, http_answer(200, "cid=$cid");
}

# A socket on one of the ports that only root may take, none of which is for long.
sub root_socket {
  socket my $peer, $AF_VSOCK, $STREAM, 0 or die "no AF_VSOCK: $!";
  for (1 .. 1000) {
    return $peer if bind $peer, vsock_address($CID_ANY, 512 + int rand 512);
  }
  die 'no port below 1024 is free';
}

# The kernel gives up after two seconds, in which a host that has other things to do does not answer.
sub connect_as_root {
  my ($cid, $port) = @_;
  my $why;
  for (1 .. 3) {
    my $peer = root_socket();
    return $peer if connect $peer, vsock_address($cid, $port);
    $why = $!;
    last if $! != $ETIMEDOUT;
  }
  die "cannot connect to $cid:$port: $why";
}

# Each way has a process of its own, so that one which is held up holds up nothing else.
sub relay {
  my ($port, $cid, $to, $lose) = @_;
  my $max = 128;
  each_connection(listen_on($port, $max), sub {
    my ($near) = @_;
    my $far = connect_as_root($cid, $to);
    my $other = fork // exit 1;
    my ($from, $into) = $other ? ($near, $far) : ($far, $near);
    pass_on($from, $into, $lose);
    waitpid $other, 0 if $other;
  }, $max);
}

sub pass_on {
  my ($from, $into, $lose) = @_;
  while (sysread $from, my $bytes, 65536) {
    substr $bytes, 0, 1, '' if $lose;
    for (my $at = 0; $at < length $bytes;) {
      $at += syswrite($into, $bytes, length($bytes) - $at, $at) || return shutdown $from, 0;
    }
  }
  shutdown $into, 1;
}

# A guest that listens no more, or is slow, is given time to do so again: nothing has been asked of it yet.
sub ask {
  my ($cid, $method, $path, $port) = @_;
  my ($status, $body);
  for (1 .. 20) {
    ($status, $body) = eval { exchange($cid, $port // 1024, $method, $path, $ANSWER_SECONDS_MAX) };
    last if defined $status || $@ !~ /^502 cannot connect.*(?:reset|timed out)/;
    sleep 1;
  }
  defined $status or print(STDERR $@), exit 1;
  print $body;
  exit($status =~ /^2/ ? 0 : 1);
}

$SIG{PIPE} = 'IGNORE';
my ($mode, @arguments) = @ARGV;
my %MODES = (
  serve => sub { each_connection(listen_on($_[0] // 1024), sub { serve_one($_[0], $_[0]) }) },
  listen => sub { each_connection(listen_on($_[0]), \&witness) },
  console => \&console,
  frames => \&frames,
  stdio => sub { serve_one(\*STDIN, \*STDOUT) },
  ask => \&ask,
  relay => \&relay,
);
($MODES{$mode // ''} // sub { die "usage: see the head of this file\n" })->(@arguments);
