// node-smpp for bench_smpp: `serve` or `drive`, run in a folder that has node_modules/smpp.
const { createRequire } = require('module');
const smpp = createRequire(process.cwd() + '/')('smpp');
const fs = require('fs');

const [role, port, what] = process.argv.slice(2);

function serve() {
  const server = smpp.createServer((session) => {
    session.socket.setNoDelay(true);
    session.on('error', () => {});
    session.on('bind_transceiver', (pdu) => session.send(pdu.response()));
    session.on('submit_sm', (pdu) => session.send(pdu.response({ message_id: '00000001' })));
  });
  server.listen(0, '127.0.0.1', () => {
    const octets = Buffer.alloc(2);
    octets.writeUInt16LE(server.address().port);
    fs.writeSync(1, octets);
  });
}

function drive() {
  const [links, window, ms] = what.split(',').map(Number);
  const message = Buffer.alloc(140);
  let done = 0;
  for (let i = 0; i < links; i++) {
    const session = smpp.connect({ url: `smpp://127.0.0.1:${port}`, auto_enquire_link_period: 0 });
    session.on('error', () => {});
    const send = () => session.submit_sm({
      source_addr_ton: 1, source_addr_npi: 1, source_addr: '10086000000',
      dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '8613800000001',
      esm_class: 0x40, protocol_id: 0x7f, data_coding: 0xf6, short_message: message,
    }, () => { done++; send(); });
    session.on('connect', () => {
      session.socket.setNoDelay(true);
      session.bind_transceiver({ system_id: 'bench', password: '' }, () => {
        for (let k = 0; k < window; k++) send();
      });
    });
  }
  setTimeout(() => { fs.writeSync(1, `${done}\n`); process.exit(0); }, ms);
}

if (role === 'serve') serve(); else drive();
