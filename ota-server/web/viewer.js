'use strict';
// Shows the OpenAPI documents that this server publishes. It loads nothing from elsewhere, and
// writes text, never markup.

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const DOCUMENTS = ['connectivity-management', 'esim-profile-management'];
const DEPTH_MAX = 6; // of members: schemas may contain themselves

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  made.append(...children);
  return made;
}

function resolve(root, part) {
  let at = part || {};
  for (let turns = 0; at.$ref !== undefined && turns < 16; turns++)
    at = at.$ref.slice(2).split('/').reduce((node, name) => node[name], root);
  return at;
}

function nameOf(part) {
  return part.$ref === undefined ? '' : part.$ref.split('/').pop();
}

// What a value may be, in a few words.
function kindOf(root, part) {
  const schema = resolve(root, part);
  const words = [];
  if (schema.type === 'array') words.push('array of ' + kindOf(root, schema.items || {}));
  else if (schema.anyOf) words.push(schema.anyOf.map(one => kindOf(root, one)).join(' or '));
  else words.push(nameOf(part) || schema.type || 'any');
  if (schema.format) words.push(schema.format);
  if (schema.enum) words.push('one of ' + schema.enum.join(', '));
  for (const limit of ['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'pattern'])
    if (schema[limit] !== undefined) words.push(limit + ' ' + schema[limit]);
  return words.join(', ');
}

// The object whose members a schema shows: itself, or that of its items.
function objectOf(root, part) {
  const schema = resolve(root, part);
  return schema.type === 'array' ? objectOf(root, schema.items || {}) : schema;
}

function membersOf(root, part, depth) {
  const schema = objectOf(root, part);
  const list = element('ul', '');
  for (const one of schema.anyOf || [])
    list.append(element('li', '', kindOf(root, one), membersOf(root, one, depth + 1)));
  for (const [name, member] of Object.entries(schema.properties || {})) {
    const isRequired = (schema.required || []).includes(name);
    const row = element('li', '', element('code', isRequired ? 'required' : '', name), ' ',
                        element('span', 'kind', kindOf(root, member)));
    const text = resolve(root, member).description || member.description;
    if (text) row.append(': ' + text);
    if (depth < DEPTH_MAX && objectOf(root, member).properties)
      row.append(membersOf(root, member, depth + 1));
    list.append(row);
  }
  return list;
}

// A value of that form: the example of the document, or one that is made up.
function exampleOf(root, part, depth) {
  const schema = resolve(root, part);
  if (schema.example !== undefined) return schema.example;
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return exampleOf(root, schema.anyOf[0], depth);
  if (schema.type === 'array') return depth < DEPTH_MAX ? [exampleOf(root, schema.items || {}, depth + 1)] : [];
  if (schema.properties) {
    const made = {};
    for (const [name, member] of Object.entries(schema.properties))
      if (depth < 2 || (schema.required || []).includes(name)) made[name] = exampleOf(root, member, depth + 1);
    return made;
  }
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum === undefined ? 1 : schema.minimum;
  if (schema.type === 'boolean') return true;
  if (schema.type === 'object') return {};
  if (schema.format === 'date-time') return '2026-07-24T12:00:00.000Z';
  return schema.pattern === undefined ? 'text' : schema.pattern;
}

function contentOf(root, title, content) {
  const parts = [];
  for (const [type, media] of Object.entries(content || {})) {
    const schema = media.schema || {};
    parts.push(element('p', '', title + ' ', element('code', '', type), ' ', element('span', 'kind', kindOf(root, schema))));
    parts.push(membersOf(root, schema, 0));
    if (type.endsWith('json')) {
      const value = media.example === undefined ? exampleOf(root, schema, 0) : media.example;
      parts.push(element('pre', '', JSON.stringify(value, null, 2)));
    }
    break; // the other types of one body have the same form
  }
  return parts;
}

function operationOf(root, path, method, operation) {
  const box = element('details', '', element('summary', '', element('span', 'method', method), ' ',
                                             element('code', '', path), ' ', operation.summary || ''));
  if (operation.description) box.append(element('p', '', operation.description));
  const list = element('ul', '');
  for (const one of operation.parameters || []) {
    const parameter = resolve(root, one);
    list.append(element('li', '', element('code', parameter.required ? 'required' : '', parameter.name),
                        ' (' + parameter.in + ') ', element('span', 'kind', kindOf(root, parameter.schema || {})),
                        parameter.description ? ': ' + parameter.description : ''));
  }
  box.append(list);
  if (operation.requestBody) box.append(...contentOf(root, 'Body', resolve(root, operation.requestBody).content));
  for (const [status, one] of Object.entries(operation.responses || {})) {
    const response = resolve(root, one);
    const isGood = status < '300';
    box.append(element('p', '', element('code', '', status), ' ' + response.description));
    if (isGood) box.append(...contentOf(root, 'Answer', response.content));
  }
  return box;
}

function show(root) {
  const place = document.getElementById('document');
  place.replaceChildren(element('h2', '', root.info.title + ' ' + root.info.version),
                        element('p', '', root.info.description || ''));
  for (const [path, item] of Object.entries(root.paths))
    for (const method of METHODS)
      if (item[method]) place.append(operationOf(root, path, method, item[method]));
}

function load() {
  const wanted = window.location.hash.slice(1);
  const name = DOCUMENTS.includes(wanted) ? wanted : DOCUMENTS[0];
  fetch(name + '.json').then(answer => answer.json()).then(show);
}

window.addEventListener('hashchange', load);
load();
