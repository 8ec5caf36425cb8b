#!/usr/bin/perl
# An SMSC on Debian's Net::SMPP (libnet-smpp-perl): its PDUs are read and written by nobody of this project. It stores and
# forwards, and has habits of real ones: one message id as hexadecimal in the response and as decimal in the receipt,
# receipts of text alone without `sub` and `dlvrd`, sources with TON 2 and a plus, one message of a destination at a time,
# another try after a temporary error. Accounts: server for 12345, radio for everything else. Prints its port.
use strict;
use warnings;
use Net::SMPP;
use IO::Select;
use Time::HiRes 'time';

$| = 1;
my $listener = Net::SMPP->new_listen('127.0.0.1', port => 0, async => 1, smpp_version => 0x34) or die "listen: $!";
print $listener->sockport, "\n";
my $select = IO::Select->new($listener);
my (%link, %queue, %busy, %pause);    # by account; messages, in flight and waiting by destination
my ($id, $tries, $ended) = (0xA0, 0, 0);
$SIG{TERM} = sub { $ended = 1 };

sub account { $_[0] eq '12345' ? 'server' : 'radio' }

sub pump {
    for my $to (keys %queue) {
        my $link = $link{account($to)};
        next if !$link || $busy{$to} || !@{$queue{$to}} || time < ($pause{$to} // 0);
        my $m = $queue{$to}[0];
        $tries++;
        $busy{$to} = $link->deliver_sm(
            source_addr_ton => 2, source_addr_npi => 1, source_addr => "+$m->{from}", dest_addr_ton => 1, dest_addr_npi => 1,
            destination_addr => $to, esm_class => $m->{esm_class}, protocol_id => $m->{protocol_id},
            data_coding => $m->{data_coding}, short_message => $m->{text});
    }
}

sub store {
    my ($link, $pdu) = @_;
    my $to = $pdu->{destination_addr};
    $id++;
    $link->submit_sm_resp(seq => $pdu->{seq}, message_id => sprintf('%08X', $id));
    push @{$queue{$to}}, {from => $pdu->{source_addr}, text => $pdu->{short_message}, esm_class => $pdu->{esm_class},
        protocol_id => $pdu->{protocol_id}, data_coding => $pdu->{data_coding}, id => $id,
        receipt => $pdu->{registered_delivery} & 1};
}

sub delivered {
    my ($link, $pdu) = @_;
    for my $to (keys %busy) {
        next if ($busy{$to} // -1) != $pdu->{seq} || $link{account($to)} != $link;
        delete $busy{$to};
        if ($pdu->{status} == 0x64 || $pdu->{status} == 0x58) {
            $pause{$to} = time + 0.2;
            return;
        }
        my $m = shift @{$queue{$to}};
        my $state = $pdu->{status} ? 'UNDELIV' : 'DELIVRD';
        push @{$queue{$m->{from}}}, {from => $to, esm_class => 4, protocol_id => 0, data_coding => 0, receipt => 0, text =>
            "id:$m->{id} submit date:26112912 done date:26112912 stat:$state err:000 Text:"} if $m->{receipt};
        return;
    }
}

sub take {
    my ($link, $pdu) = @_;
    my $cmd = $pdu->{cmd};
    if ($cmd == 9) {
        $link{$pdu->{system_id}} = $link;
        $link->bind_transceiver_resp(seq => $pdu->{seq}, system_id => 'strange');
    } elsif ($cmd == 4) { store($link, $pdu) }
    elsif ($cmd == 0x80000005) { delivered($link, $pdu) }
    elsif ($cmd == 0x15) { $link->enquire_link_resp(seq => $pdu->{seq}) }
    elsif ($cmd == 6) { $link->unbind_resp(seq => $pdu->{seq}) }
}

sub leave {
    my $link = shift;
    $select->remove($link);
    for my $name (keys %link) {
        next if $link{$name} != $link;
        delete $link{$name};
        delete $busy{$_} for grep { account($_) eq $name } keys %busy;
    }
    $link->close;
}

while (!$ended) {
    for my $ready ($select->can_read(0.02)) {
        if ($ready == $listener) {
            my $link = $listener->accept or next;
            $select->add($link);
            next;
        }
        my $pdu = $ready->read_pdu;
        $pdu ? take($ready, $pdu) : leave($ready);
    }
    pump();
}
print "delivered $tries\n";
