#!/usr/bin/perl
# Real traffic, and how much of it arrives:
#
#   traffic.pl sink tcp|udp PORT SKIP SECONDS   says "listens"; from its first byte on it leaves SKIP seconds
#                                               out, then counts for SECONDS, says how many bytes, and ends
#   traffic.pl send tcp|udp ADDRESS PORT        sends as much as the kernel takes, until it is ended
#   traffic.pl talk ADDRESS PORT                connects by TCP; then each line of its input goes there, and
#                                               what comes is said
#   traffic.pl refusal ADDRESS PORT             says what ICMP says to a datagram, or "silence"
#   traffic.pl serve PORT                       says "listens"; the same with the first who connects
#   traffic.pl probe SECONDS ADDRESS:PORT ...   says which of them answer to TCP within that, and "done"
use strict;
use Errno;
use Socket;
use Time::HiRes 'time';

$| = 1;
my ($what, @args) = @ARGV;
my $bytes = 'x' x 65536;

sub opened {
  my ($protocol) = @_;
  my $type = $protocol eq 'tcp' ? SOCK_STREAM : SOCK_DGRAM;
  socket my $socket, PF_INET, $type, getprotobyname $protocol or die "socket: $!\n";
  setsockopt $socket, SOL_SOCKET, SO_REUSEADDR, 1;
  return $socket;
}

sub listening {
  my ($protocol, $port) = @_;
  my $socket = opened($protocol);
  bind $socket, sockaddr_in($port, INADDR_ANY) or die "bind: $!\n";
  listen $socket, 16 or die "listen: $!\n" if $protocol eq 'tcp';
  print "listens\n";
  return $socket;
}

sub connected {
  my ($protocol, $address, $port) = @_;
  my $socket = opened($protocol);
  connect $socket, sockaddr_in($port, inet_aton($address)) or die "connect: $!\n";
  return $socket;
}

sub sink {
  my ($protocol, $port, $skip, $seconds) = @_;
  my $from = listening($protocol, $port);
  if ($protocol eq 'tcp') { accept my $peer, $from or die "accept: $!\n"; $from = $peer; }
  my ($start, $count) = (undef, 0);
  while (1) {
    # What has stopped coming has been counted.
    my $ready = '';
    vec($ready, fileno $from, 1) = 1;
    my $left = defined $start ? $start + $skip + $seconds - time : 20;
    last if $left <= 0 || !select $ready, undef, undef, $left;
    my $read = sysread $from, my $data, 1 << 20 or last;
    $start //= time;
    $count += $read if time >= $start + $skip;
  }
  print "$count\n";
}

sub send_all {
  my ($protocol, $address, $port) = @_;
  my $to = connected($protocol, $address, $port);
  $bytes = substr $bytes, 0, 1400 if $protocol eq 'udp';
  $SIG{PIPE} = 'IGNORE';
  # That nobody listens any more, or that there is no room, ends no stream of datagrams.
  while (1) { syswrite $to, $bytes or $protocol eq 'udp' or last; }
}

# Each line of its input to the other, and whatever comes.
sub exchange {
  my ($with) = @_;
  print "connected\n";
  defined(my $pid = fork) or die "fork: $!\n";
  if ($pid == 0) { while (sysread STDIN, my $line, 4096) { syswrite $with, $line; } exit 0; }
  while (sysread $with, my $data, 4096) { print $data; }
  kill 'KILL', $pid;
}

sub talk { exchange(connected('tcp', @_)); }

sub probe {
  my $seconds = shift;
  for my $to (@_) {
    defined(my $pid = fork) or die "fork: $!\n";
    next if $pid;
    alarm $seconds;
    my ($address, $port) = split /:/, $to;
    # That nobody listens there is an answer.
    my $is = connect(opened('tcp'), sockaddr_in($port, inet_aton($address))) || $!{ECONNREFUSED};
    syswrite STDOUT, "$to\n" if $is;
    exit 0;
  }
  1 while wait > 0;
  print "done\n";
}

sub refusal {
  my $to = connected('udp', @_);
  $SIG{ALRM} = sub { print "silence\n"; exit 0; };
  alarm 2;
  syswrite $to, 'x';
  sysread $to, my $data, 1;
  print "$!\n";
}

sub serve {
  my $from = listening('tcp', @_);
  accept my $peer, $from or die "accept: $!\n";
  exchange($peer);
}

my %does = (sink => \&sink, send => \&send_all, talk => \&talk, serve => \&serve, probe => \&probe, refusal => \&refusal);
($does{$what // ''} // die "usage: see the head of this file\n")->(@args);
