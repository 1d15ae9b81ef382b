localrules:
    reference,


rule reference:
    input:
        made_by("reference"),


rule weights:
    input:
        afresh("weights"),
        **reads("weights"),
    output:
        **writes("weights"),
    log:
        f"{LOGS}/reference/weights.log",
    conda:
        "../envs/sagan-div.yaml"
    params:
        settings=told("weights"),
        study=STUDY.study,
    message:
        "fetch Inception's weights"
    shell:
        "sagan-div weights --optional --study {params.study} --settings {params.settings:q} 2>&1 | tee {log}"


rule classifier:
    input:
        afresh("classifier"),
        **reads("classifier"),
    output:
        **writes("classifier"),
    log:
        f"{LOGS}/reference/{{dataset}}/domain-classifier.log",
    benchmark:
        f"{RUNTIMES}/reference/{{dataset}}/domain-classifier.jsonl"
    conda:
        "../envs/sagan-div.yaml"
    resources:
        gpu=1,
    params:
        settings=told("classifier"),
        study=STUDY.study,
    message:
        "train the domain classifier of {wildcards.dataset}"
    shell:
        "sagan-div classifier --study {params.study} --settings {params.settings:q} --threads {threads} > {log} 2>&1"


rule statistics:
    input:
        afresh("reference"),
        unpack(reference_inputs),
    output:
        **writes("reference"),
    log:
        f"{LOGS}/reference/{{dataset}}/{{extractor}}.log",
    benchmark:
        f"{RUNTIMES}/reference/{{dataset}}/{{extractor}}.jsonl"
    conda:
        "../envs/sagan-div.yaml"
    resources:
        gpu=1,
    params:
        settings=told("reference"),
        study=STUDY.study,
    message:
        "reference statistics of {wildcards.dataset} in the {wildcards.extractor}'s space"
    shell:
        "sagan-div reference --study {params.study} --settings {params.settings:q} --threads {threads} > {log} 2>&1"


rule floor:
    input:
        afresh("floor"),
        unpack(floor_inputs),
    output:
        **writes("floor"),
    log:
        f"{LOGS}/reference/{{dataset}}/{{extractor}}.floor.log",
    benchmark:
        f"{RUNTIMES}/reference/{{dataset}}/{{extractor}}.floor.jsonl"
    conda:
        "../envs/sagan-div.yaml"
    resources:
        gpu=1,
    params:
        settings=told("floor"),
        study=STUDY.study,
    message:
        "real against real images of {wildcards.dataset} in the {wildcards.extractor}'s space"
    shell:
        "sagan-div floor --study {params.study} --settings {params.settings:q} --threads {threads} > {log} 2>&1"
